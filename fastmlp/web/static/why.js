// Why a neuron has its number: its products as a picture or a table, their sum, and the runner-up. Imports api, layers,
// lines, pictures, say and tables.

import { Gone, Newest, send, weightsOf } from "./api.js";
import { nameOf, onChosen, release } from "./layers.js";
import { standOut } from "./lines.js";
import { paintWeights } from "./pictures.js";
import { calm, complain, figure } from "./say.js";
import { fill } from "./tables.js";

const part = (name) => document.getElementById(name);

let model = null;
let digit = null; // the 784 pixels that the network saw
let answer = 0; // the output that is the answer
let chosen = null; // {layer, unit}, or null for the answer

const questions = new Newest(
  ({ model: { id }, layer, unit, pixels }) => send(`/api/models/${id}/why/${layer}/${unit}`, pixels),
  (found, question) => {
    if (question.pixels !== digit || question.model !== model) return;
    calm("why");
    show(found, question);
  },
  (error) => {
    if (!(error instanceof Gone)) complain(error, "why");
  },
);

/** Begin: explain the neuron that is chosen, or the answer. */
export function startWhy() {
  onChosen((neuron) => {
    chosen = neuron;
    standOut(neuron);
    ask();
  });
  part("why-answer").addEventListener("click", release);
}

/** Explain what a network makes of a digit; null for no digit. */
export function explain(facts, pixels, output) {
  [model, digit, answer] = [facts, pixels, output];
  if (!digit) {
    part("why-found").hidden = true;
    part("why-hint").hidden = false;
  }
  ask();
}

/** Ask no more of this network: another one is chosen, and looks at the digit first. */
export function leaveNetwork() {
  model = null;
}

function ask() {
  if (!digit || !model) return;
  const last = model.layers.length - 1;
  const { layer, unit } = chosen ?? { layer: last, unit: answer };
  if (layer <= last && unit < model.layers[layer].units) questions.ask({ model, layer, unit, pixels: digit });
}

function show(found, { layer, unit }) {
  part("why-hint").hidden = true;
  part("why-found").hidden = false;
  part("why-answer").hidden = chosen === null;
  part("why-words").replaceChildren(...words(found, layer, unit));
  paintWeights(part("why-pixels"), weightsOf(found.shares.weights));
  const direct = layer === 0;
  const limit = figure(found.shares.limit);
  part("why-pixels-text").textContent = direct
    ? `Pixel × weight, up to ${limit}: blue speaks for, red against.`
    : `What each pixel contributes through the layers before, up to ${limit}: blue for, red against. It is the slope by the pixel, times the pixel.`;
  part("why-pixels").setAttribute("aria-label", `Contributions of the pixels to the ${nameOf(layer, unit)}`);
  if (chosen) standOut(chosen, found.incoming.map((one) => [one.unit, unit, one.product]));
  showIncoming(found, layer);
  showRival(found.against, layer, unit);
}

function words({ z, a, bias, activation, positive, negative, against }, layer, unit) {
  const name = nameOf(layer, unit);
  const parts = [`${name[0].toUpperCase()}${name.slice(1)}: `, signed(positive, "for"), " for, ", signed(negative, "against"), " against"];
  if (bias !== null) parts.push(`, bias ${figure(bias)}`);
  const made = activation === "softmax" ? `softmax over all outputs makes it ${(100 * a).toFixed(1)}\u00a0%` : `${activation.replaceAll("_", " ")}(z) = ${figure(a)}`;
  parts.push(`. The sum is z = ${figure(z)}; ${made}.`);
  if (activation === "relu" && z <= 0) parts.push(" The neuron is off: relu makes 0 of a negative sum.");
  if (against?.lit === false) parts.push(" No output reaches 0.5, so the largest is a guess.");
  return parts;
}

function signed(value, kind) {
  const element = document.createElement("strong");
  element.className = kind;
  element.textContent = value > 0 ? `+${figure(value)}` : figure(value);
  return element;
}

const term = (value) => signed(value, value < 0 ? "against" : "for");

function showIncoming({ incoming, rest }, layer) {
  const table = part("why-incoming");
  table.hidden = layer === 0;
  if (table.hidden) return;
  table.caption.textContent = `Strongest inputs, neurons of hidden layer ${layer}`;
  const rows = incoming.map(({ unit, a, weight, product }) => [String(unit + 1), figure(a), figure(weight), term(product)]);
  fill(table, [...rows, ["all others", "", "", term(rest)]]);
  table.tBodies[0].lastElementChild.className = "rest";
}

function showRival(against, layer, unit) {
  part("why-rival").hidden = part("why-terms").hidden = !against;
  if (!against) return;
  const [mine, other] = [model.labels[unit], against.label];
  const [ahead, behind] = against.difference >= 0 ? [mine, other] : [other, mine];
  part("why-rival-text").textContent = `${mine} against ${other}: z of ${ahead} is larger than that of ${behind} by ${figure(Math.abs(against.difference))}. Blue speaks for ${mine}, red for ${other}.`;
  paintWeights(part("why-rival-pixels"), weightsOf(against.shares.weights));
  part("why-rival-pixels").setAttribute("aria-label", `Pixels that speak for ${mine}, and for ${other}`);
  const table = part("why-terms");
  table.hidden = layer === 0;
  table.caption.textContent = `Between ${mine} and ${other}, neurons of hidden layer ${layer}`;
  fill(table, against.terms.map(({ unit: from, difference }) => [String(from + 1), difference > 0 ? mine : other, term(difference)]));
}
