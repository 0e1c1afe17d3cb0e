// The activations of every layer as a field of cells, and the weights of the neuron that is pointed at. Imports api,
// lines, pictures and say.

import { ask, floatsOf, Gone, Newest, weightsOf } from "./api.js";
import { showLines } from "./lines.js";
import { colour, keepPainted, paintWeights } from "./pictures.js";
import { calm, complain, figure } from "./say.js";

const CELL = 18;
const NARROW = 700; // pixels of the window
const NAMES = 15; // pixels for the names beneath the outputs

const place = document.getElementById("layers");
const weights = document.getElementById("neuron-weights");
const text = document.getElementById("neuron-text");

const HINT = text.textContent;

let fields = [];
let chosen = null; // {model, version, layer, unit, isOutput, held}; held until another one is pressed, not only pointed at
let told = null; // what the server said about the chosen one, in this version or one before
let model = null;
const listeners = [];

/** Have `work({layer, unit})` called with every neuron that is pressed, or chosen by key, and with null where none is. */
export function onChosen(work) {
  listeners.push(work);
}

const tell = (neuron) => listeners.forEach((work) => work(neuron));

const neurons = new Newest(
  ({ model, layer, unit }) => ask(`/api/models/${model}/neurons/${layer}/${unit}`),
  showNeuron,
  (error, which) => {
    if (!isChosen(which)) return;
    forget();
    if (!(error instanceof Gone)) complain(error, "neuron");
  },
);

const isChosen = (which) => ["model", "layer", "unit"].every((name) => which[name] === chosen?.[name]);

/** Take another network, or another state of the same one; the neuron that was chosen is asked for again. */
export function setModel(facts) {
  const same = model && model.id === facts.id;
  const before = chosen;
  model = facts;
  if (!same) {
    forget();
    build();
  }
  if (!before) return;
  const field = before.isOutput ? fields.at(-1) : fields[before.layer];
  if (field?.isOutput === before.isOutput && before.unit < field.units) field.choose(before.unit, before.held);
}

/** Forget the network, for its server is gone. */
export function forgetModel() {
  forget();
  model = null;
}

/** Show no neuron. */
function forget() {
  chosen = told = null;
  text.textContent = HINT;
  paintWeights(weights, new Int8Array(784));
  weights.setAttribute("aria-label", "Weights of a neuron");
  for (const field of fields) field.paint();
  tell(null);
}

/** Hold no neuron any longer: pointing at others shows them again. */
export function release() {
  if (!chosen?.held) return;
  chosen.held = false;
  tell(null);
}

/** What a neuron is called. */
export const nameOf = (layer, unit) => fields[layer].nameOf(unit);

/** Show activations and lines; none at all where nothing is drawn. */
export function showLayers(layers, lines = null) {
  fields.forEach((field, number) => {
    field.values = layers ? floatsOf(layers[number]) : null;
    field.paint();
    field.describe();
  });
  describeNeuron();
  showLines(lines, fields);
}

function build() {
  place.replaceChildren();
  fields = model.layers.map((layer, number) => new Field(layer, number, number === model.layers.length - 1));
}

class Field {
  constructor({ units, activation }, number, isLast) {
    this.units = units;
    this.number = number;
    this.isOutput = isLast;
    this.values = null;
    this.unit = 0;
    // Outputs go by what they stand for, and hidden neurons, which stand for nothing, by number from 1.
    this.labels = isLast ? model.labels : null;
    this.hasNames = isLast && this.labels.every((label) => label.length <= 2);
    const few = innerWidth < NARROW && units <= 256 ? 16 : 32;
    this.columns = Math.min(units, units <= 1024 ? few : 64);
    const box = document.createElement("div");
    box.className = "layer";
    const caption = document.createElement("p");
    caption.className = "small";
    caption.textContent = `${isLast ? "Output" : `Hidden ${number + 1}`}: ${units} ${activation}`;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.columns * CELL;
    this.rows = Math.ceil(units / this.columns);
    this.canvas.height = this.rows * CELL + (this.hasNames ? NAMES : 0);
    for (const [name, value] of Object.entries({
      // A field is a slider to a screen reader: one of its neurons is chosen, and told.
      role: "slider",
      tabindex: "0",
      "aria-label": isLast ? "Outputs" : `Neurons of hidden layer ${number + 1}`,
      "aria-valuemin": isLast ? "0" : "1",
      "aria-valuemax": String(isLast ? units - 1 : units),
    })) {
      this.canvas.setAttribute(name, value);
    }
    box.append(caption, this.canvas);
    place.append(box);
    this.canvas.addEventListener("pointermove", (event) => chosen?.held || this.point(event, false));
    this.canvas.addEventListener("pointerdown", (event) => (this.pressed = true) && this.point(event, true));
    this.canvas.addEventListener("focus", () => this.pressed || this.choose(this.unit, true)); // by key
    this.canvas.addEventListener("blur", () => (this.pressed = false));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    keepPainted(this.canvas, () => this.paint());
    this.describe();
  }

  point(event, held) {
    const scale = this.canvas.width / this.canvas.getBoundingClientRect().width;
    const row = Math.min(this.rows - 1, Math.floor((event.offsetY * scale) / CELL)); // a name belongs to what is above it
    const unit = row * this.columns + Math.floor((event.offsetX * scale) / CELL);
    if (unit < 0 || unit >= this.units) return;
    const again = held && chosen?.held && chosen.layer === this.number && chosen.unit === unit;
    if (again) release();
    else this.choose(unit, held);
  }

  key(event) {
    const [row, all] = [this.columns, this.units];
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, Home: -all, End: all };
    if (event.key === "Escape") release();
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.choose(Math.min(this.units - 1, Math.max(0, this.unit + steps[event.key])), true);
  }

  choose(unit, held) {
    const wanted = { model: model.id, version: model.version, layer: this.number, unit, isOutput: this.isOutput, held };
    if (isChosen(wanted) && wanted.version === chosen.version && held === chosen.held) return;
    if (!isChosen(wanted)) told = null;
    const before = fields[chosen?.layer];
    chosen = wanted;
    this.unit = unit;
    before?.paint();
    this.paint();
    this.describe();
    neurons.ask(chosen);
    if (held) tell({ layer: this.number, unit });
  }

  /**
   * Give for a neuron where the middle of its cell is on the screen, and half of the cell's side. The place of the
   * canvas is asked for once: asked for each neuron, while lines are added, the browser would lay out the page each time.
   */
  middles() {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const cell = (CELL * width) / this.canvas.width;
    return (unit) => {
      const [column, row] = [unit % this.columns, Math.floor(unit / this.columns)];
      return { x: left + (column + 0.5) * cell, y: top + (row + 0.5) * cell, half: cell / 2 };
    };
  }

  nameOf(unit) {
    return this.labels ? `output for ${this.labels[unit]}` : `neuron ${unit + 1} of hidden layer ${this.number + 1}`;
  }

  describe() {
    const value = this.values ? `, activation ${figure(this.values[this.unit])}` : "";
    this.canvas.setAttribute("aria-valuenow", String(this.isOutput ? this.unit : this.unit + 1));
    this.canvas.setAttribute("aria-valuetext", `${this.nameOf(this.unit)}${value}`);
  }

  paint() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const most = this.values ? this.values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9) : 1;
    for (let i = 0; i < this.units; i++) {
      const [x, y] = [(i % this.columns) * CELL, Math.floor(i / this.columns) * CELL];
      context.fillStyle = colour("ink", 0.07);
      context.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
      if (this.values) {
        context.fillStyle = colour(this.values[i] < 0 ? "negative" : "positive", Math.abs(this.values[i]) / most);
        context.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
      }
      if (chosen?.layer === this.number && chosen.unit === i) {
        context.strokeStyle = colour("ink");
        context.lineWidth = 2;
        context.strokeRect(x + 1, y + 1, CELL - 2, CELL - 2);
      }
      if (this.hasNames) {
        context.fillStyle = colour("ink");
        context.font = "11px system-ui, sans-serif";
        context.textAlign = "center";
        context.fillText(this.labels[i], x + CELL / 2, y + CELL + 11);
      }
    }
  }
}

function showNeuron(found, which) {
  if (!isChosen(which)) return;
  calm("neuron");
  told = found;
  paintWeights(weights, weightsOf(found.weights));
  weights.setAttribute("aria-label", `Weights of the ${fields[chosen.layer].nameOf(chosen.unit)} as an image`);
  describeNeuron();
}

function describeNeuron() {
  if (!told) return;
  const field = fields[chosen.layer];
  const name = field.nameOf(chosen.unit);
  const parts = [name[0].toUpperCase() + name.slice(1)];
  if (field.values) parts.push(`activation ${figure(field.values[chosen.unit])}`);
  if (told.bias !== null) parts.push(`bias ${figure(told.bias)}`);
  const limit = told.limit.toPrecision(2);
  const what = told.direct
    ? `Its weights, from −${limit} to ${limit}.`
    : `Its ${told.incoming} weights through the layers before, as if these were linear.`;
  text.textContent = `${parts.join(", ")}. ${what}`;
}
