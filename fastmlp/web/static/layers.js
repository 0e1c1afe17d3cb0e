// The activations of every layer as a field of cells, and the weights of the neuron that is pointed at. Imports api,
// pictures and say.

import { ask, floatsOf, Newest, weightsOf } from "./api.js";
import { colour, keepPainted, paintWeights } from "./pictures.js";
import { complain } from "./say.js";

const CELL = 18;

const place = document.getElementById("layers");
const weights = document.getElementById("neuron-weights");
const text = document.getElementById("neuron-text");

let fields = [];
let chosen = null; // {layer, unit}
let model = null;

const neurons = new Newest(
  ({ layer, unit }) => ask(`/api/models/${model.id}/neurons/${layer}/${unit}`),
  showNeuron,
  complain,
);

/** Take another network, or another state of the same one. */
export function setModel(facts) {
  const same = model && model.shape === facts.shape && model.id === facts.id;
  model = facts;
  if (!same) build();
  if (chosen) neurons.ask(chosen);
}

/** Show activations; none at all where nothing is drawn. */
export function showLayers(layers) {
  fields.forEach((field, number) => {
    field.values = layers ? floatsOf(layers[number]) : null;
    field.paint();
    field.describe();
  });
  if (chosen) describeNeuron();
}

function build() {
  chosen = null;
  place.replaceChildren();
  fields = model.layers.map((layer, number) => new Field(layer, number, number === model.layers.length - 1));
}

class Field {
  constructor({ units, activation }, number, isLast) {
    this.units = units;
    this.number = number;
    this.values = null;
    this.unit = 0;
    this.name = isLast ? "output layer" : `hidden layer ${number + 1}`;
    this.columns = units <= 16 ? units : units <= 256 ? 16 : units <= 1024 ? 32 : 64;
    const box = document.createElement("div");
    box.className = "layer";
    const caption = document.createElement("p");
    caption.className = "small";
    caption.textContent = `${isLast ? "Output" : `Hidden ${number + 1}`}: ${units} ${activation}`;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.columns * CELL;
    this.canvas.height = Math.ceil(units / this.columns) * CELL;
    for (const [name, value] of Object.entries({
      // A field is a slider to a screen reader: one of its neurons is chosen, and told.
      role: "slider",
      tabindex: "0",
      "aria-label": `Neurons of the ${this.name}`,
      "aria-valuemin": "1",
      "aria-valuemax": String(units),
    })) {
      this.canvas.setAttribute(name, value);
    }
    box.append(caption, this.canvas);
    place.append(box);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("focus", () => this.choose(this.unit));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    keepPainted(this.canvas, () => this.paint());
    this.describe();
  }

  point(event) {
    const scale = this.canvas.width / this.canvas.getBoundingClientRect().width;
    const unit = Math.floor((event.offsetY * scale) / CELL) * this.columns + Math.floor((event.offsetX * scale) / CELL);
    if (unit >= 0 && unit < this.units) this.choose(unit);
  }

  key(event) {
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.columns,
      ArrowDown: this.columns,
      Home: -this.units,
      End: this.units,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.choose(Math.min(this.units - 1, Math.max(0, this.unit + steps[event.key])));
  }

  choose(unit) {
    if (chosen?.layer === this.number && chosen.unit === unit) return;
    const before = fields[chosen?.layer];
    chosen = { layer: this.number, unit };
    this.unit = unit;
    before?.paint();
    this.paint();
    this.describe();
    neurons.ask(chosen);
  }

  describe() {
    const value = this.values ? `, activation ${this.values[this.unit].toFixed(3)}` : "";
    this.canvas.setAttribute("aria-valuenow", String(this.unit + 1));
    this.canvas.setAttribute("aria-valuetext", `neuron ${this.unit + 1} of ${this.units}${value}`);
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
    }
  }
}

let told = null;

function showNeuron(found, which) {
  if (which.layer !== chosen?.layer || which.unit !== chosen.unit) return;
  told = found;
  paintWeights(weights, weightsOf(found.weights));
  describeNeuron();
}

function describeNeuron() {
  if (!told) return;
  const field = fields[chosen.layer];
  const figure = (value) => value.toFixed(3).replace("-", "−");
  const parts = [`Neuron ${chosen.unit + 1} of the ${field.name}`];
  if (field.values) parts.push(`activation ${figure(field.values[chosen.unit])}`);
  if (told.bias !== null) parts.push(`bias ${figure(told.bias)}`);
  const limit = told.limit.toPrecision(2);
  const what = told.direct
    ? `Its weights, from −${limit} to ${limit}.`
    : `Its ${told.incoming} weights through the layers before, as if these were linear.`;
  text.textContent = `${parts.join(", ")}. ${what}`;
  weights.setAttribute("aria-label", `Weights of neuron ${chosen.unit + 1} of the ${field.name} as an image`);
}
