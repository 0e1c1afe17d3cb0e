// The Plane tab: points of a plane, and a network that learns them while one looks on. Imports api, planeForm,
// planeView and say.

import { Gone, send } from "./api.js";
import * as form from "./planeForm.js";
import { View } from "./planeView.js";
import { calm, complain } from "./say.js";

const part = (name) => document.getElementById(name);
// Epochs of a frame, by the place of the slider; the last one is milliseconds of training between two frames.
const SPEEDS = [
  { epochs: 1 },
  { epochs: 3 },
  { epochs: 10 },
  { epochs: 30 },
  { epochs: 100 },
  { milliseconds: 7 },
];
const WORDS = ["1 epoch a frame", "3 epochs a frame", "10 epochs a frame", "30 epochs a frame", "100 epochs a frame", "as fast as it goes"];
const COMPILING = "The first training on a machine compiles the kernels, which takes some seconds.";
const PATIENCE = 700; // milliseconds
const SELDOM = 4; // frames

let view = null;
let plane = null; // {id, ...} of the server
let isPlaying = false;
let isOpen = () => false;
let building = Promise.resolve();
let told = () => {};

/** Begin; `open` says whether the tab is open, `onSettings` is called when what the link says has changed. */
export function startPlane(choices, open, onSettings) {
  [isOpen, told] = [open, onSettings];
  view = new View(add, remove);
  form.startPlaneForm({ ...choices, ...choices.plane }, () => {
    told();
    rebuild();
  });
  part("plane-play").addEventListener("click", () => (isPlaying ? pause() : play()));
  part("plane-step").addEventListener("click", () => {
    pause();
    advance({ step: 1 });
  });
  part("plane-rewind").addEventListener("click", rebuild);
  part("plane-speed").addEventListener("input", showSpeed);
  part("plane-forget").addEventListener("click", () => {
    form.setPoints([]);
    told();
    rebuild();
  });
  part("plane-tests").addEventListener("change", () => view.paintDots());
  showSpeed();
}

/** The tab was opened, or left. */
export function planeOpened() {
  if (!isOpen()) pause();
  else if (!plane) rebuild();
  else view.paint();
}

/** Forget the plane, for its server is gone. */
export function forgetPlane() {
  pause();
  plane = null;
}

const showSpeed = () => (part("plane-speed-text").textContent = WORDS[part("plane-speed").value]);

/** Start anew, from the same start: data and weights depend on the settings alone. */
function rebuild() {
  building = building.then(() =>
    tried(async () => {
      const settings = form.read();
      if (!settings) return;
      plane = await send("/api/planes", JSON.stringify(settings));
      view.setPlane(plane, settings);
      view.showFrame(plane.frame);
      part("plane-forget").hidden = !settings.points.length;
    }),
  );
  return building;
}

async function tried(work) {
  try {
    calm("plane");
    await work();
  } catch (error) {
    pause();
    if (!(error instanceof Gone)) complain(error, "plane");
  }
}

/** Have the server train on; null where the plane is another one by then. */
async function trained(by) {
  let frame = null;
  const slow = setTimeout(() => (part("plane-message").textContent = COMPILING), PATIENCE);
  await tried(async () => {
    const of = plane;
    const found = await send(`/api/planes/${of.id}/advance?${new URLSearchParams(by)}`);
    if (of === plane) frame = found;
  });
  clearTimeout(slow);
  if (part("plane-message").textContent === COMPILING) part("plane-message").textContent = "";
  return frame;
}

async function advance(by) {
  const frame = await trained(by);
  if (frame) view.showFrame(frame);
}

function pause() {
  isPlaying = false;
  part("plane-play").textContent = "Train";
}

async function play() {
  if (!plane) await rebuild();
  if (!plane || isPlaying) return;
  isPlaying = true;
  part("plane-play").textContent = "Pause";
  const next = () => new Promise((done) => requestAnimationFrame(done));
  let [of, frame, count] = [plane, null, 0];
  while (isPlaying && isOpen()) {
    // The server trains on while the frame before is drawn. Nobody sees the maps of neurons change as fast as that.
    const maps = Number(count++ % SELDOM === 0);
    const asked = trained({ ...SPEEDS[part("plane-speed").value], maps });
    await next();
    if (frame && of === plane) view.showFrame(frame);
    of = plane;
    frame = await asked;
    if (frame?.message) break;
  }
  pause();
  if (plane && of === plane) advance({}); // with all that the last frames left out
}

function add(x, y) {
  const target = Number(part("plane-add").value);
  form.setPoints([...form.points(), [x, y, target]]);
  told();
  rebuild();
}

function remove(x, y) {
  const all = form.points();
  if (!all.length) return;
  const distance = ([a, b]) => (a - x) ** 2 + (b - y) ** 2;
  const nearest = all.reduce((best, point) => (distance(point) < distance(best) ? point : best));
  form.setPoints(all.filter((point) => point !== nearest));
  told();
  rebuild();
}
