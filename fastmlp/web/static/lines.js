// Lines between layers: products of activation and weight, the stronger the thicker. Imports curves.

import { make } from "./curves.js";

const svg = document.getElementById("lines");
const box = document.getElementById("layers");
const wanted = document.getElementById("show-lines");

const FAINT = 0.04; // of the strongest line

let drawn = null; // {lines, fields}

wanted.addEventListener("change", () => draw());
new ResizeObserver(() => draw()).observe(box);

/** Show lines between fields of neurons, each `[from, to, product]`; null shows none. */
export function showLines(lines, fields) {
  drawn = lines && { lines, fields };
  draw();
}

function draw() {
  if (!drawn || !wanted.checked || !box.offsetParent) return svg.replaceChildren();
  const { left, top } = svg.getBoundingClientRect();
  const middles = drawn.fields.map((field) => field.middles());
  svg.replaceChildren(...drawn.lines.flatMap((lines, layer) => between(lines, middles[layer], middles[layer + 1], left, top)));
}

/** Lines from one layer to the next, the strongest last, on top of the others. */
function between(lines, from, to, left, top) {
  if (!from || !to) return [];
  const most = Math.max(1e-12, ...lines.map(([, , product]) => Math.abs(product)));
  return lines
    .filter(([, , product]) => Math.abs(product) > FAINT * most)
    .toReversed()
    .map(([a, b, product]) => {
      const strength = Math.abs(product) / most;
      const [start, end] = [from(a), to(b)];
      return make("line", {
        class: product < 0 ? "negative" : "positive",
        x1: start.x - left,
        y1: start.y + start.half - top,
        x2: end.x - left,
        y2: end.y - end.half - top,
        "stroke-width": (0.5 + 2.5 * strength).toFixed(2),
        "stroke-opacity": (0.15 + 0.75 * strength).toFixed(2),
      });
    });
}
