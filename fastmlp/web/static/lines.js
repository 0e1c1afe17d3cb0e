// Lines between layers: products of activation and weight, the stronger the thicker. Imports curves.

import { make } from "./curves.js";

const svg = document.getElementById("lines");
const box = document.getElementById("layers");
const wanted = document.getElementById("show-lines");

const FAINT = 0.04; // of the strongest line
const BEHIND = 0.15; // of their strength, for lines of others than the neuron that is chosen

let drawn = null; // {lines, fields}
let neuron = null; // {layer, unit}, whose lines stand out: those that come in, or go out of the first layer
let incoming = []; // all strong lines of that neuron, where the strongest of the layer may be those of others

wanted.addEventListener("change", () => draw());
new ResizeObserver(() => draw()).observe(box);

/** Show lines between fields of neurons, each `[from, to, product]`; null shows none. */
export function showLines(lines, fields) {
  drawn = lines && { lines, fields };
  incoming = [];
  draw();
}

/** Have the lines of a neuron stand out; `lines` are its own, as `showLines` takes them. */
export function standOut(which, lines = []) {
  [neuron, incoming] = [which, lines];
  draw();
}

function draw() {
  if (!drawn || !wanted.checked || !box.offsetParent) return svg.replaceChildren();
  const { left, top } = svg.getBoundingClientRect();
  const middles = drawn.fields.map((field) => field.middles());
  svg.replaceChildren(
    ...drawn.lines.flatMap((lines, layer) => {
      const own = neuron?.layer === layer + 1 && incoming.length > 0;
      const shown = own ? [...incoming, ...lines.filter(([, to]) => to !== neuron.unit)] : lines;
      return between(shown, layer, middles, left, top);
    }),
  );
}

const isOwn = (layer, from, to) =>
  neuron && (neuron.layer === layer + 1 ? neuron.unit === to : neuron.layer === 0 && layer === 0 && neuron.unit === from);

/** Lines from one layer to the next, the strongest last, on top of the others. */
function between(lines, layer, middles, left, top) {
  const [from, to] = [middles[layer], middles[layer + 1]];
  if (!from || !to) return [];
  const most = Math.max(1e-12, ...lines.map(([, , product]) => Math.abs(product)));
  return lines
    .filter(([, , product]) => Math.abs(product) > FAINT * most)
    .toReversed()
    .map(([a, b, product]) => {
      const strength = Math.abs(product) / most;
      const [start, end] = [from(a), to(b)];
      const own = isOwn(layer, a, b);
      return make("line", {
        class: `${product < 0 ? "negative" : "positive"}${own ? " own" : ""}`,
        x1: start.x - left,
        y1: start.y + start.half - top,
        x2: end.x - left,
        y2: end.y - end.half - top,
        "stroke-width": (0.5 + 2.5 * strength).toFixed(2),
        "stroke-opacity": ((neuron && !own ? BEHIND : 1) * (0.15 + 0.75 * strength)).toFixed(2),
      });
    });
}
