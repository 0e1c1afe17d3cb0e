// The Draw tab: whatever is to be recognised, a drawing, an image file or a test digit, goes to the server, and what it
// says is shown and explained. Imports answer, api, fool, gallery, layers, pen, say, step and why.

import { showAnswer, showNothing } from "./answer.js";
import { ask, Gone, Newest, pixelsOf, send } from "./api.js";
import { changesAsQuery, setSeen, showEffect, startFooling } from "./fool.js";
import * as gallery from "./gallery.js";
import * as layers from "./layers.js";
import { Pen } from "./pen.js";
import { calm, complain } from "./say.js";
import * as step from "./step.js";
import * as why from "./why.js";

const timing = document.getElementById("timing");
const file = document.getElementById("image-file");
const canvas = document.getElementById("pad");

let model = null;
let leafed = null; // the network whose answers the gallery shows, when it no longer changes
let current = null; // what is looked at, to be looked at again by another network

const pen = new Pen(canvas, document.getElementById("pen-width"), {
  onStart: () => gallery.chooseNone(),
  onStroke: (finished, event) => look({ kind: "drawing", finished, since: finished ? event.timeStamp : undefined }),
});

const looks = new Newest(
  async (thing) => {
    const by = model;
    if (!by) throw new Gone("There is no network to ask.");
    return { by, ...(await asked(thing, `/api/models/${by.id}`)) };
  },
  (found, thing) => {
    if (found.by.id !== model?.id) return; // another network looks at it next
    if (thing !== current && current?.kind !== "drawing") return; // cleared, or another one chosen, meanwhile
    calm("drawing");
    const words = showAnswer(found, { final: thing.kind !== "drawing" || thing.finished });
    if (thing.kind === "digit") gallery.tell(words);
    layers.showLayers(found.layers, found.lines);
    showEffect(found, thing.kind);
    if (thing.since !== undefined) {
      const milliseconds = performance.now() - thing.since;
      timing.textContent = `Answered ${milliseconds.toFixed(0)} ms after the pen was lifted.`;
      timing.dataset.milliseconds = milliseconds.toFixed(1);
      delete thing.since; // another network's look at it comes later, by no fault of this one
    } else if (thing.kind !== "drawing") timing.textContent = "";
    // Of a stroke under way only the answer: more questions would keep the server from the next one.
    if (thing.kind !== "drawing" || thing.finished) showReasons(found);
  },
  (error, thing) => {
    if (thing !== current) return;
    if (thing.kind === "drawing" && !thing.finished) return; // a dot that is not yet a digit
    // What stands there is the answer to something else.
    showNoAnswer(error instanceof Gone ? "No answer: the server is gone." : "No answer.");
    if (!(error instanceof Gone)) complain(error, "drawing");
  },
);

function asked(thing, address) {
  const changes = changesAsQuery();
  if (thing.kind === "digit") return ask(`${address}/digits/${thing.number}?${changes}`);
  if (thing.kind === "seen") return send(`${address}/seen?${changes}`, thing.pixels);
  if (thing.kind === "file") return send(`${address}/image?${changes}`, thing.file);
  const { pixels, side } = pen.pixels();
  return send(`${address}/drawing?width=${side}&height=${side}&${changes}`, pixels);
}

function showReasons({ by, seen, labels, ...found }) {
  const pixels = pixelsOf(seen);
  const answer = labels.indexOf(found.answer);
  setSeen(by, pixels);
  why.explain(by, pixels, answer);
  step.setDigit(by, pixels, answer);
}

function showNoAnswer(words) {
  timing.textContent = "";
  showNothing(words);
  gallery.tell(words ?? "");
  layers.showLayers(null);
  showEffect(null);
  setSeen(model, null);
  why.explain(model, null);
  step.setDigit(model, null);
}

/** Take another network, or another state of the same one, and have it look at what is there. */
export function setModel(facts, { settled }) {
  const other = model?.id !== facts.id;
  const changed = other || model.version !== facts.version;
  model = facts;
  const state = `${facts.id} ${facts.version}`;
  if (other || (settled && state !== leafed)) {
    leafed = settled ? state : null;
    gallery.setModel(facts);
  }
  if (!changed) return;
  if (other) leaveNetwork();
  layers.setModel(facts);
  if (current) look(current);
  else if (other) layers.showLayers(null);
}

function leaveNetwork() {
  why.leaveNetwork();
  step.leaveNetwork();
}

/** Forget the network, for its server is gone; what is drawn stays, for another one. */
export function forgetModel() {
  model = leafed = null;
  leaveNetwork();
  layers.forgetModel();
}

/** Ask again for what is there: answers may have been lost. */
export function lookAgain() {
  if (current) look(current);
  if (model) gallery.setModel(model);
}

export function startDrawing() {
  showNothing();
  why.startWhy();
  step.startStep();
  startFooling({
    onChange: () => current && look({ ...current, since: undefined, isLive: true }),
    onLook: (pixels, canvas) => {
      gallery.chooseNone();
      pen.show(canvas);
      look({ kind: "seen", pixels });
    },
  });
  gallery.startGallery(({ number, canvas }) => {
    pen.show(canvas);
    look({ kind: "digit", number });
  });
  document.getElementById("undo").addEventListener("click", undo);
  document.getElementById("clear").addEventListener("click", clear);
  document.getElementById("load-image").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files.length) load(file.files[0]);
    file.value = ""; // so that the same file can be chosen again
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace" || event.key === "Escape") clear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
  });
}

function look(thing) {
  current = thing;
  // A slider that is moved asks often; its answers come one after another.
  if (model) looks.ask(thing, !thing.isLive && (thing.kind !== "drawing" || thing.finished));
}

function undo() {
  if (pen.isEmpty) return;
  pen.undo();
  if (pen.isEmpty) clear();
  else look({ kind: "drawing", finished: true });
}

function clear() {
  pen.clear();
  looks.forget();
  current = null;
  gallery.chooseNone();
  calm("drawing");
  showNoAnswer();
}

async function load(chosen) {
  gallery.chooseNone();
  try {
    // Its bytes, for it is sent again when the network changes, and the file may do so too.
    look({ kind: "file", file: await chosen.arrayBuffer() });
  } catch {
    complain(new Error(`${chosen.name} can't be read; choose it again.`), "drawing");
    return;
  }
  try {
    pen.show(await createImageBitmap(chosen));
  } catch {
    pen.clear(); // the server says what is wrong with the file
  }
}
