// What a forward and a backward pass compute: z, a and delta of every layer as cells. Imports api and pictures.

import { floatsOf } from "./api.js";
import { colour, keepPainted } from "./pictures.js";

const CELL = 11;
const COLUMNS = 16;
const KNOWN = [
  ["cross_entropy", "softmax"],
  ["binary_cross_entropy", "sigmoid"],
];

/** Show z, a and delta of every layer, with the formula of each step. */
export function showPasses(place, { layers, loss_name: loss }) {
  const heads = ["", "z = a W + b", "a = f(z)", "δ = ∂loss/∂z"].map((words) => element("span", words, "head"));
  const rows = layers.flatMap((layer, number) => {
    const isLast = number === layers.length - 1;
    const name = isLast ? "Output" : `Hidden ${number + 1}`;
    const cells = ["z", "a", "delta"].map((what) => strip(floatsOf(layer[what]), `${what} of ${name.toLowerCase()}`));
    return [element("span", name, "small"), ...cells, element("p", note(layer.activation, loss, isLast), "note")];
  });
  place.replaceChildren(...heads, ...rows);
}

function note(activation, loss, isLast) {
  const name = activation.replaceAll("_", " ");
  if (!isLast) return `f is ${name}. Backwards: δ is the next layer's δ through its weights, times the slope f′(z).`;
  const isPlain = KNOWN.some(([a, b]) => a === loss && b === activation);
  if (isPlain) return `f is ${name}. With this loss, δ = a − y: output minus target, where y is 1 for the right digit and 0 for the others.`;
  return `f is ${name}. δ is the loss's derivative by a, times the slope f′(z): where f is flat, δ is small however wrong the answer is.`;
}

function element(kind, words, name) {
  const made = document.createElement(kind);
  Object.assign(made, { textContent: words, className: name });
  return made;
}

function strip(values, name) {
  const canvas = document.createElement("canvas");
  const columns = Math.min(values.length, values.length > 256 ? 48 : COLUMNS);
  canvas.width = columns * CELL;
  canvas.height = Math.ceil(values.length / columns) * CELL;
  canvas.setAttribute("role", "img");
  const range = [Math.min(...values), Math.max(...values)].map((value) => value.toPrecision(3)).join(" to ");
  canvas.setAttribute("aria-label", `${name}: ${range}`);
  canvas.title = range;
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
  keepPainted(canvas, () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    values.forEach((value, i) => {
      const [x, y] = [(i % columns) * CELL, Math.floor(i / columns) * CELL];
      context.fillStyle = colour("ink", 0.06);
      context.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
      context.fillStyle = colour(value < 0 ? "negative" : "positive", Math.abs(value) / most);
      context.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
    });
  });
  return canvas;
}
