// Curves over epochs, as SVG. Imports nothing.

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 82, 12, 26];
const APART = 14; // between two names
const FEW = 4; // epochs

/**
 * Draw curves over epochs.
 *
 * `curves` are {name, kind, values}: kind is the class of its line, a value null where there is none; `format` makes a
 * value words, and `epochs` is how many there will be. `shade` fills the area between the first two curves where the
 * second is "below" the first, or "above" it. `within` are points [epochs done, value] of the first few epochs.
 */
export function drawCurves(svg, { title, curves, epochs, format, upTo, shade, within = [], size = [360, 210] }) {
  const [WIDTH, HEIGHT] = size;
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren();
  // Points within epochs are noisy, and show more than the curves while these are short.
  const points = curves[0]?.values.length < FEW ? within : [];
  const first = Math.min(1, ...points.map(([at]) => at));
  const all = [...curves.flatMap(({ values }) => values), ...points.map(([, value]) => value)].filter((value) => value !== null);
  if (!all.length) {
    svg.setAttribute("aria-label", `${title}: no epochs yet`);
  }
  const steps = niceSteps(all, upTo);
  const [low, high] = [steps[0], steps.at(-1)];
  const last = points.length ? Math.min(epochs, Math.max(1, Math.ceil(points.at(-1)[0]))) : epochs;
  const x = (epoch) => LEFT + ((epoch - first) / Math.max(1e-9, last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - BOTTOM - TOP);
  for (const step of steps) {
    svg.append(
      make("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(step), y2: y(step) }),
      make("text", { x: LEFT - 6, y: y(step) + 4, "text-anchor": "end" }, format(step)),
    );
  }
  svg.append(make("text", { x: LEFT, y: HEIGHT - 8, "text-anchor": "middle" }, first < 1 ? "0" : "1"));
  svg.append(make("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "epoch"));
  if (last > first) svg.append(make("text", { x: x(last), y: HEIGHT - 8, "text-anchor": "middle" }, String(last)));
  if (points.length) svg.append(make("path", { class: "within", d: path(points.map(([at, value]) => [x(at), y(value)])) }));
  const lines = curves.map(({ values }) => values.map((value, i) => [x(i + 1), y(value), value]).filter(([, , value]) => value !== null));
  if (shade && lines.length > 1) svg.append(make("path", { class: "gap", d: `${path(area(...lines, shade))}Z` }));
  const ends = [];
  curves.forEach(({ name, kind }, i) => {
    if (!lines[i].length) return;
    const [endX, endY] = lines[i].at(-1);
    svg.append(make("path", { class: kind, d: path(lines[i]) }), make("circle", { class: kind, cx: endX, cy: endY, r: 3 }));
    ends.push({ name, kind, x: endX, y: endY });
  });
  nameEnds(svg, ends, HEIGHT - BOTTOM);
  const words = curves.filter(({ values }) => values.length).map(({ name, values }) => `${name} ${format(values.at(-1) ?? 0, true)}`);
  if (words.length) svg.setAttribute("aria-label", `${title} after epoch ${curves[0].values.length}: ${words.join(", ")}`);
}

export const path = (points) => (points.length ? `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}` : "");

/** The outline of the area from a curve to another one where that is below or above it; y grows downwards. */
function area(first, second, side) {
  const farther = side === "below" ? Math.max : Math.min;
  const yOf = new Map(first);
  return [...first, ...second.filter(([x]) => yOf.has(x)).map(([x, y]) => [x, farther(y, yOf.get(x))]).toReversed()];
}

/** Names at the ends of the curves, moved apart where they would lie on one another. */
function nameEnds(svg, ends, lowest) {
  ends.sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => (end.y = Math.max(TOP, end.y, i ? ends[i - 1].y + APART : TOP)));
  for (let i = ends.length - 1; i >= 0; i--) ends[i].y = Math.min(ends[i].y, i + 1 < ends.length ? ends[i + 1].y - APART : lowest);
  const right = Math.max(...ends.map((end) => end.x));
  for (const { name, kind, y } of ends) svg.append(make("text", { class: kind, x: right + 8, y: y + 4 }, name));
}

/** Round numbers that hold all values. */
function niceSteps(values, upTo) {
  let low = Math.min(...values);
  let high = upTo ?? Math.max(...values);
  if (!values.length) [low, high] = [0, upTo ?? 1];
  if (high - low < 1e-6) low = high - Math.max(1e-6, Math.abs(high) * 0.1);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const steps = [];
  for (let n = Math.floor(low / step + 1e-9); n * step < high + step * 0.999; n++) {
    steps.push(n * step);
    if (n * step >= high - step * 1e-6) break;
  }
  return steps;
}

export function make(kind, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
