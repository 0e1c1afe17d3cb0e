// Lines between layers: products of activation and weight, the stronger the thicker. Imports curves.

import { make } from "./curves.js";

const svg = document.getElementById("lines");
const box = document.getElementById("layers");
const wanted = document.getElementById("show-lines");

let drawn = null; // {lines, fields}

wanted.addEventListener("change", () => draw());
new ResizeObserver(() => draw()).observe(box);

/** Show lines between fields of neurons, each `[from, to, product]`; null shows none. */
export function showLines(lines, fields) {
  drawn = lines && { lines, fields };
  draw();
}

function draw() {
  svg.replaceChildren();
  if (!drawn || !wanted.checked || !box.offsetParent) return;
  const { left, top } = svg.getBoundingClientRect();
  drawn.lines.forEach((lines, layer) => {
    const [from, to] = [drawn.fields[layer], drawn.fields[layer + 1]];
    if (!from || !to) return;
    const most = Math.max(1e-12, ...lines.map(([, , product]) => Math.abs(product)));
    // The strongest last, on top of the others.
    for (const [a, b, product] of lines.toReversed()) {
      const strength = Math.abs(product) / most;
      if (strength < 0.04) continue;
      const [start, end] = [from.middleOf(a), to.middleOf(b)];
      svg.append(
        make("line", {
          class: product < 0 ? "negative" : "positive",
          x1: start.x - left,
          y1: start.y + start.half - top,
          x2: end.x - left,
          y2: end.y - end.half - top,
          "stroke-width": (0.5 + 2.5 * strength).toFixed(2),
          "stroke-opacity": (0.15 + 0.75 * strength).toFixed(2),
        }),
      );
    }
  });
}
