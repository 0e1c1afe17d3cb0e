// One step of learning: the passes of one digit, what a step of gradient descent does, and any derivative beside a
// numeric one. Imports api, layers, passes, pictures, say and tables.

import { Gone, Newest, send, weightsOf } from "./api.js";
import { nameOf, onChosen } from "./layers.js";
import { showPasses } from "./passes.js";
import { colour, paintWeights } from "./pictures.js";
import { calm, complain, figure, outputInWords } from "./say.js";
import { fill } from "./tables.js";

const MOST_STEPS = 20;
const HINT = "Choose a weight to compare its derivative with a numeric one.";
const part = (name) => document.getElementById(name);
const form = part("step-form");

let model = null;
let digit = null;
let steps = 0;
let meant = null; // the target that a user chose for this digit
let chosen = null; // {layer, unit}, or null for the target's output
let cursor = 0; // the pixel whose weight is chosen

const fail = (error) => {
  if (!(error instanceof Gone)) complain(error, "step");
};
const isNow = (asked) => asked.key === key();
const passes = new Newest(ask, (found, asked) => isNow(asked) && show(found), fail);
const neurons = new Newest(ask, (found, asked) => isNow(asked) && showNeuron(found, asked), fail);

/** Begin. */
export function startStep() {
  form.elements.target.addEventListener("change", () => {
    meant = form.elements.target.value;
    again(0);
  });
  form.elements.rate.addEventListener("change", () => form.reportValidity() && again(0));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again(steps + 1);
  });
  part("step-undo").addEventListener("click", () => again(steps - 1));
  onChosen((neuron) => {
    chosen = neuron;
    if (digit && model) askNeuron();
  });
  startCursor();
}

/** Take a digit that a network saw, and the output that was its answer; null for none. */
export function setDigit(facts, pixels, output) {
  if (facts !== model) fillTargets(facts);
  if (!same(pixels, digit) || facts?.id !== model?.id) steps = 0;
  [model, digit] = [facts, pixels];
  if (!digit) meant = null;
  if (digit && meant === null) form.elements.target.value = output;
  part("step-found").hidden = !digit;
  again(steps);
}

/** Ask no more of this network: another one is chosen, and looks at the digit first. */
export function leaveNetwork() {
  model = null;
}

const same = (one, other) => one && other && one.every((value, i) => value === other[i]);

function fillTargets(facts) {
  const before = form.elements.target.value;
  form.elements.target.replaceChildren(...(facts?.labels ?? []).map((label, i) => new Option(label, i)));
  form.elements.target.value = before;
}

function again(count) {
  steps = count;
  form.querySelector("[type=submit]").disabled = !digit || steps >= MOST_STEPS;
  part("step-undo").disabled = !digit || steps === 0;
  part("step-count").textContent = steps ? `${steps} step${steps > 1 ? "s" : ""} taken` : "";
  part("step-derivative").textContent = HINT;
  if (!digit || !model || !form.checkValidity()) return;
  passes.ask(question(""));
  askNeuron();
}

const key = () => [model?.id, steps, form.elements.target.value, form.elements.rate.value, digit].join();

function question(place) {
  const { target, rate } = form.elements;
  const query = new URLSearchParams({ target: target.value, rate: rate.value, steps });
  return { address: `/api/models/${model.id}/step${place}?${query}`, pixels: digit, key: key() };
}

function ask({ address, pixels }) {
  return send(address, pixels);
}

function neuron() {
  const last = model.layers.length - 1;
  const { layer, unit } = chosen ?? { layer: last, unit: Number(form.elements.target.value) };
  return layer <= last && unit < model.layers[layer].units ? { layer, unit } : { layer: last, unit: 0 };
}

function askNeuron() {
  const { layer, unit } = neuron();
  neurons.ask({ ...question(`/${layer}/${unit}`), layer, unit });
}

function show(found) {
  calm("step");
  const target = Number(form.elements.target.value);
  const probability = outputInWords(found.kind, found.outputs[target]);
  const words = [`The output for ${found.labels[target]} is ${probability}; the loss (${found.loss_name.replaceAll("_", " ")}) is ${figure(found.loss)}.`];
  if (found.before) words.push(`Before the last step it was ${figure(found.before.loss)}.`);
  if (found.before && found.loss > found.before.loss) words.push("It grew: the step was too large for this slope. Take a smaller learning rate.");
  part("step-loss").textContent = words.join(" ");
  showPasses(part("step-layers"), found);
  part("step-changes").hidden = !found.before;
  if (!found.before) return;
  fill(part("step-outputs"), found.labels.map((label, i) => [label, outputInWords(found.kind, found.before.outputs[i]), outputInWords(found.kind, found.outputs[i])]));
  fill(part("step-moved"), found.moved.map(({ layer, row, unit, before, after }) => [`${from(layer, row)} to ${nameOf(layer, unit)}`, figures(before), figures(after)]));
}

const figures = (value) => String(Number(value.toPrecision(4))).replaceAll("-", "−");
const from = (layer, row) => (layer ? nameOf(layer - 1, row) : `pixel (${Math.floor(row / 28) + 1}, ${(row % 28) + 1})`);

function showNeuron(found, { layer, unit }) {
  const name = nameOf(layer, unit);
  part("step-neuron-title").textContent = name[0].toUpperCase() + name.slice(1);
  const parts = [`z = ${figure(found.z)}`, `a = ${figure(found.a)}`, `δ = ${figures(found.delta)}`];
  if (found.bias !== null) parts.push(`bias ${figure(found.bias)}`, `db = δ = ${figures(found.db)}`);
  part("step-neuron-text").textContent = `${parts.join(", ")}. Each weight's derivative is its input times δ. Choose another neuron above, in “Every layer at work”.`;
  part("step-pictures").hidden = layer !== 0;
  part("step-incoming").hidden = layer === 0;
  if (layer === 0) {
    paintWithCursor(weightsOf(found.weights.weights));
    paintWeights(part("step-slopes"), weightsOf(found.slopes.weights));
    part("step-slopes").setAttribute("aria-label", `Derivatives of the loss by these weights, from −${found.slopes.limit.toPrecision(2)} to ${found.slopes.limit.toPrecision(2)}`);
    return;
  }
  fill(part("step-incoming"), found.incoming.map(({ unit: row, weight, slope }) => [nameOf(layer - 1, row), figures(weight), figures(slope), checkButton(layer, unit, row)]));
}

function checkButton(layer, unit, row) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: "Check" });
  button.setAttribute("aria-label", `Check the derivative by the weight from ${nameOf(layer - 1, row)}`);
  button.addEventListener("click", () => check(layer, unit, row));
  return button;
}

/** Have the derivative by a weight computed in two ways. */
async function check(layer, unit, row) {
  if (!model) return;
  const asked = question(`/${layer}/${unit}/${row}`);
  try {
    const found = await send(asked.address, asked.pixels);
    if (!isNow(asked)) return;
    calm("step");
    const verdict = found.kink ? "a unit's kink lies within the step, so the slope differs on either side" : `relative error ${found.error.toExponential(0)}`;
    part("step-derivative").textContent = `${found.name}, ${figures(found.weight)}, from ${from(layer, row)}: backpropagation says ${figures(found.backpropagated)}; moving the weight by ±${found.step.toPrecision(1)} gives ${figures(found.numeric)} (${verdict}).`;
  } catch (error) {
    fail(error);
  }
}

function startCursor() {
  const canvas = part("step-weights");
  const choose = (pixel) => {
    cursor = Math.max(0, Math.min(783, pixel));
    paintWithCursor();
    if (!model) return;
    const { layer, unit } = neuron();
    if (layer === 0) check(layer, unit, cursor);
  };
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const cell = canvas.clientWidth / 28;
    choose(Math.min(27, Math.floor(offsetY / cell)) * 28 + Math.min(27, Math.floor(offsetX / cell)));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -28, ArrowDown: 28, Enter: 0, " ": 0 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    choose(cursor + move);
  });
}

let painted = new Int8Array(784);

function paintWithCursor(weights = painted) {
  painted = weights;
  const canvas = part("step-weights");
  paintWeights(canvas, weights);
  const context = canvas.getContext("2d");
  context.fillStyle = colour("ink");
  context.fillRect(cursor % 28, Math.floor(cursor / 28), 1, 1);
}
