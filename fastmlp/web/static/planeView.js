// The picture of the Plane tab: the boundary or surface, the points, small maps of hidden neurons, and the loss. Imports
// api, curves, pictures and say.

import { floatsOf, pixelsOf, weightsOf } from "./api.js";
import { make, path } from "./curves.js";
import { colour, keepPainted, numbersOf } from "./pictures.js";
import { figure, percent } from "./say.js";

const part = (name) => document.getElementById(name);
const COLOURS = ["positive", "negative", "s2", "s3"];
const MOST_POINTS = 400; // of a curve
const MOVE = 0.05;
const [COLUMNS, GAP] = [8, 4]; // of the maps of neurons

export class View {
  constructor(add, remove) {
    this.canvas = part("plane-canvas");
    this.small = document.createElement("canvas");
    this.dots = document.createElement("canvas"); // the points, which stay while the network learns
    this.cursor = null;
    this.reset();
    this.canvas.addEventListener("click", (event) => {
      const { width, height } = this.canvas.getBoundingClientRect();
      add(...this.place((event.offsetX / width) * 2 - 1, 1 - (event.offsetY / height) * 2));
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event, add, remove));
    this.canvas.addEventListener("blur", () => {
      this.cursor = null;
      this.paint();
    });
    keepPainted(this.canvas, () => this.paintDots());
  }

  reset() {
    Object.assign(this, { plane: null, frame: null, curve: [], times: [] });
  }

  place(x, y) {
    const reach = this.plane?.reach ?? 1;
    return [Number((x * reach).toFixed(3)), Number((y * reach).toFixed(3))];
  }

  key(event, add, remove) {
    const moves = { ArrowLeft: [-MOVE, 0], ArrowRight: [MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] };
    this.cursor ??= [0, 0];
    if (event.key in moves) this.cursor = this.cursor.map((value, i) => Math.max(-1, Math.min(1, value + moves[event.key][i])));
    else if (event.key === "Enter") add(...this.place(...this.cursor));
    else if (event.key === "Delete" || event.key === "Backspace") remove(...this.place(...this.cursor));
    else return;
    event.preventDefault();
    this.paint();
  }

  /** Take another plane: its points, and a network that has learned nothing. */
  setPlane(plane, settings) {
    this.reset();
    this.plane = plane;
    this.points = floatsOf(plane.train);
    this.tests = floatsOf(plane.test);
    this.hidden = settings.hidden;
    const classes = plane.kind === "classes" ? `${plane.classes.length} classes` : "numbers: blue high, orange low";
    part("plane-legend").textContent = `${this.points.length / 3} points to train on, ${this.tests.length / 3} to test; ${classes}; ${plane.parameters} weights and biases.`;
    const kind = plane.kind === "classes" ? "accuracy" : "loss";
    part("plane-train-name").textContent = `training ${kind}`;
    part("plane-test-name").textContent = `test ${kind}`;
    part("plane-maps").replaceChildren(...settings.hidden.map((units, layer) => this.row(units, layer)));
    this.paintDots();
  }

  /** A canvas for all neurons of a layer: many small ones take the browser longer. */
  row(units, layer) {
    const [canvas, caption] = [document.createElement("canvas"), document.createElement("p")];
    const count = Math.min(16, units);
    caption.className = "small";
    caption.textContent = `Hidden ${layer + 1}${units > count ? `, the first ${count} of ${units}` : ""}`;
    canvas.width = COLUMNS * (this.plane.map_side + GAP) - GAP;
    canvas.height = Math.ceil(count / COLUMNS) * (this.plane.map_side + GAP) - GAP;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `What ${count} neurons of hidden layer ${layer + 1} do over the plane`);
    const both = document.createElement("section");
    both.append(caption, canvas);
    return both;
  }

  /** Show what the network makes of the plane; curve, figures and maps only with a frame that has maps. */
  showFrame(frame) {
    this.frame = frame;
    this.times.push({ at: performance.now(), epochs: frame.epochs });
    if (this.times.length > 30) this.times.shift();
    this.addToCurve([frame.epochs, frame.loss, frame.test_loss]);
    this.paint();
    if (!frame.maps.length && this.hidden.length) return;
    this.showMaps();
    this.showCurve();
    this.showFigures();
  }

  addToCurve(point) {
    if (this.curve.length && point[0] <= this.curve.at(-1)[0]) return;
    this.curve.push(point);
    if (this.curve.length > MOST_POINTS) this.curve = this.curve.filter((_, i) => i % 2 === 0);
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    if (!this.frame) return;
    this.paintGrid();
    context.imageSmoothingEnabled = true;
    context.drawImage(this.small, 0, 0, width, height);
    context.drawImage(this.dots, 0, 0);
    if (!this.cursor || document.activeElement !== this.canvas) return;
    const [x, y] = [((this.cursor[0] + 1) / 2) * width, ((1 - this.cursor[1]) / 2) * height];
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    context.strokeRect(x - 7, y - 7, 14, 14);
  }

  /** Paint the points anew: they are others, or their colours are. */
  paintDots() {
    this.dots.width = this.canvas.width;
    this.dots.height = this.canvas.height;
    const context = this.dots.getContext("2d");
    if (this.plane && part("plane-tests").checked) this.paintPoints(context, this.tests, false);
    if (this.plane) this.paintPoints(context, this.points, true);
    this.paint();
  }

  /** One colour a class, mixed by the probabilities; or one for high and one for low numbers. */
  paintGrid() {
    const { side, kind, classes } = this.plane;
    const grid = pixelsOf(this.frame.grid);
    const colours = COLOURS.map(numbersOf);
    this.small.width = this.small.height = side;
    const image = new ImageData(side, side);
    const count = kind === "classes" ? classes.length : 1;
    for (let i = 0; i < side * side; i++) {
      let [opacity, rgb] = [0, [0, 0, 0]];
      if (count === 1) {
        const value = grid[i] / 127.5 - 1;
        [opacity, rgb] = [Math.abs(value), colours[value < 0 ? 1 : 0]];
      } else {
        let most = 0;
        for (let k = 0; k < count; k++) {
          const share = grid[i * count + k] / 255;
          most = Math.max(most, share);
          const own = colours[classes[k] % 4];
          rgb = rgb.map((value, j) => value + share * own[j]);
        }
        opacity = 0.15 + (0.85 * (most - 1 / count)) / (1 - 1 / count);
      }
      image.data.set(rgb, 4 * i);
      image.data[4 * i + 3] = 150 * opacity;
    }
    this.small.getContext("2d").putImageData(image, 0, 0);
  }

  paintPoints(context, points, filled) {
    const { reach, kind } = this.plane;
    const { width, height } = this.canvas;
    for (let i = 0; i < points.length; i += 3) {
      const [x, y] = [((points[i] / reach + 1) / 2) * width, ((1 - points[i + 1] / reach) / 2) * height];
      const target = points[i + 2];
      const own = kind === "classes" ? colour(COLOURS[target % 4]) : colour(target < 0 ? "negative" : "positive", 0.25 + 0.75 * Math.min(1, Math.abs(target)));
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.lineWidth = filled ? 1.5 : 2;
      context.strokeStyle = own;
      if (filled) {
        context.fillStyle = own;
        context.fill();
        context.strokeStyle = "rgba(255,255,255,0.85)";
      }
      context.stroke();
    }
  }

  showMaps() {
    const side = this.plane.map_side;
    const colours = ["negative", "positive"].map((name) => numbersOf(name));
    [...part("plane-maps").querySelectorAll("canvas")].forEach((canvas, layer) => {
      const maps = weightsOf(this.frame.maps[layer]);
      const context = canvas.getContext("2d");
      const image = new ImageData(side, side);
      for (let unit = 0; unit * side * side < maps.length; unit++) {
        for (let i = 0; i < side * side; i++) {
          const value = maps[unit * side * side + i];
          image.data.set(colours[Number(value >= 0)], 4 * i);
          image.data[4 * i + 3] = 2 * Math.abs(value);
        }
        context.putImageData(image, (unit % COLUMNS) * (side + GAP), Math.floor(unit / COLUMNS) * (side + GAP));
      }
    });
  }

  showCurve() {
    const svg = part("plane-curve");
    const [width, height, left, bottom] = [300, 150, 40, 20];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const last = this.curve.at(-1);
    const most = Math.max(1e-9, ...this.curve.flatMap(([, a, b]) => [a, b ?? 0]).filter(Number.isFinite));
    const x = (epochs) => left + (epochs / Math.max(1, last[0])) * (width - left - 8);
    const y = (value) => height - bottom - (value / most) * (height - bottom - 10);
    const line = (column, kind) => {
      const points = this.curve.filter((point) => point[column] !== null).map((point) => [x(point[0]), y(point[column])]);
      return make("path", { class: kind, d: path(points) });
    };
    svg.replaceChildren(
      make("line", { class: "grid", x1: left, x2: width, y1: y(0), y2: y(0) }),
      make("text", { x: left - 6, y: y(0) + 4, "text-anchor": "end" }, "0"),
      make("text", { x: left - 6, y: y(most) + 4, "text-anchor": "end" }, String(Number(most.toPrecision(2)))),
      make("text", { x: width, y: height - 6, "text-anchor": "end" }, `${last[0].toLocaleString("en")} epochs`),
      line(1, "training"),
      line(2, "validation"),
    );
    svg.setAttribute("aria-label", `Loss after ${last[0]} epochs: training ${figure(last[1])}, test ${last[2] === null ? "none" : figure(last[2])}`);
  }

  showFigures() {
    const { epochs, loss, accuracy, test_loss: testLoss, test_accuracy: testAccuracy, message } = this.frame;
    part("plane-epochs").textContent = epochs.toLocaleString("en");
    const [first, last] = [this.times[0], this.times.at(-1)];
    const rate = this.times.length > 3 ? (1000 * (last.epochs - first.epochs)) / (last.at - first.at) : 0;
    part("plane-rate").textContent = rate > 0 ? Math.round(rate).toLocaleString("en") : "–";
    part("plane-rate").dataset.frames = this.times.length > 3 ? ((1000 * (this.times.length - 1)) / (last.at - first.at)).toFixed(1) : "";
    part("plane-train").textContent = accuracy === null ? figure(loss) : percent(accuracy);
    part("plane-test").textContent = testLoss === null ? "–" : testAccuracy === null ? figure(testLoss) : percent(testAccuracy);
    if (part("plane-message").textContent !== message) part("plane-message").textContent = message;
  }
}
