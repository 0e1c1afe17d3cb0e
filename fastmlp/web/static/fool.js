// Fool it: changes of the digit before the network sees it, and the smallest one that changes the answer. Imports api,
// pictures and say.

import { Gone, pixelsOf, send, weightsOf } from "./api.js";
import { paintInk, paintWeights, smallCanvas } from "./pictures.js";
import { calm, complain, outputInWords } from "./say.js";

const part = (name) => document.getElementById(name);
const form = part("changes");
const UNITS = { noise: "", right: " px", down: " px", turn: "°", size: " ×" };
const HARD_TO_SEE = 25; // grey levels of 255
const ANY = [
  ["any other digit", ""],
  ["the runner-up", "runner-up"],
];

let seen = null; // {model, pixels}
let changed = null; // the pixels of the smallest change
let look = () => {};

/**
 * Begin; `onChange` is called when the digit is to be looked at again, and `onLook(pixels, canvas)` when another one is
 * to be looked at in its place.
 */
export function startFooling({ onChange, onLook }) {
  look = onLook;
  const again = () => {
    showValues();
    onChange();
  };
  part("least-target").append(...[...ANY, ...Array.from({ length: 10 }, (_, i) => [i, i])].map((one) => new Option(...one)));
  form.addEventListener("input", again);
  form.addEventListener("reset", () => setTimeout(again)); // when the values are reset
  form.addEventListener("submit", (event) => event.preventDefault());
  part("least").addEventListener("click", find);
  part("least-look").addEventListener("click", lookAtChanged);
  showValues();
}

/** The changes as the end of an address, empty where there is none. */
export function changesAsQuery() {
  const isSet = ({ type, checked, value, defaultValue }) => (type === "checkbox" ? checked : value !== defaultValue);
  const changes = [...form.querySelectorAll("input:enabled")].filter(isSet);
  return new URLSearchParams(changes.map(({ name, value, type }) => [name, type === "checkbox" ? "1" : value])).toString();
}

/** Say what the changes do to the answer, and show the digit; null for no digit. */
export function showEffect(found, kind) {
  form.elements.raw.disabled = kind === "digit" || kind === "seen"; // they have MNIST's format, and need no preprocessing
  part("fool-effect").hidden = !found;
  if (!found) return;
  const { answer, labels, outputs, unchanged } = found;
  paintInk(part("fool-seen"), pixelsOf(found.seen));
  const inWords = (label, output) => `${label} (${outputInWords(found.kind, output)})`;
  const now = inWords(answer, outputs[labels.indexOf(answer)]);
  const same = unchanged?.answer === answer;
  part("fool-words").textContent = unchanged
    ? `Without these changes: ${inWords(unchanged.answer, unchanged.output)}. With them: ${now}.${same ? "" : " The answer is another one."}`
    : `The answer is ${now}. Nothing is changed yet.`;
}

/** Take the digit that a network saw; null for none. */
export function setSeen(model, pixels) {
  seen = pixels && { model, pixels };
  part("least").disabled = !seen;
  part("least-words").textContent = "";
  part("least-pictures").hidden = true;
  const options = [...part("least-target").options].slice(ANY.length);
  model?.labels?.forEach((label, i) => (options[i].textContent = label));
}

function showValues() {
  for (const input of form.querySelectorAll("input[type=range]")) {
    input.nextElementSibling.textContent = `${input.value.replace("-", "−")}${UNITS[input.name]}`;
  }
}

async function find() {
  const of = seen;
  try {
    const target = part("least-target").value;
    const found = await send(`/api/models/${of.model.id}/least-change?target=${target}`, of.pixels);
    calm("fool");
    if (of === seen) show(found);
    else if (seen) find(); // another digit was drawn meanwhile
  } catch (error) {
    if (!(error instanceof Gone)) complain(error, "fool");
  }
}

const REASONS = {
  already: ({ before }) => `The answer is ${before} already; choose another digit.`,
  flat: () => "None was found: here the outputs don't change with the pixels, so there is no direction to go.",
  steps: ({ steps }) => `None was found in ${steps} step${steps === 1 ? "" : "s"} along the gradient. There may still be one.`,
};

function show(found) {
  part("least-pictures").hidden = !found.found;
  part("least-words").textContent = found.found ? inWords(found) : REASONS[found.reason](found);
  if (!found.found) return;
  changed = pixelsOf(found.pixels);
  paintInk(part("least-before"), seen.pixels);
  paintWeights(part("least-change"), weightsOf(found.change.weights));
  paintInk(part("least-after"), changed);
}

function inWords({ before, after, mean, most, length }) {
  const seldom = most <= HARD_TO_SEE ? " You will hardly see it." : "";
  return `${before} becomes ${after}. Of 255 grey levels a pixel changes by ${mean} on average and by ${most} at most; the change's length (L2 norm) is ${length}, where 1 is a pixel of full ink.${seldom}`;
}

function lookAtChanged() {
  const canvas = smallCanvas();
  paintInk(canvas, changed);
  form.reset(); // its pixels have been changed already
  look(changed, canvas);
}
