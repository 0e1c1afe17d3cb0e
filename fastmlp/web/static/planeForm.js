// The settings of the Plane tab: its form, its link, and pasted points. Imports say.

import { calm, complain } from "./say.js";

const part = (name) => document.getElementById(name);
const form = part("plane-form");
const TEXTS = ["data", "activation", "optimizer"];
const NUMBERS = ["n", "noise", "learning_rate", "batch_size", "l2", "seed"];
const IN_LINK = 300; // points

let choices = null;
let added = []; // points [x, y, target]
let start = "";

/** Fill the form; `onChange` is called when a user changed a setting. */
export function startPlaneForm(offered, onChange) {
  choices = offered;
  const { data, activation, optimizer } = form.elements;
  for (const name of Object.keys(choices.data)) data.append(new Option(name, name));
  for (const name of choices.activations) activation.append(new Option(name.replaceAll("_", " "), name));
  for (const name of Object.keys(choices.optimizers)) optimizer.append(new Option(name, name));
  activation.value = "tanh";
  optimizer.value = "adam";
  for (const name of choices.features) part("plane-features").append(feature(name));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.id === "plane-csv") return;
    if (event.target === data) added = [];
    if (event.target === optimizer) form.elements.learning_rate.value = optimizer.value === "adam" || optimizer.value === "adamw" ? 0.01 : 0.1;
    showValues();
    onChange();
  });
  form.elements.noise.addEventListener("input", showValues);
  part("plane-use-csv").addEventListener("click", () => usePasted(onChange));
  showValues();
  start = planeLink();
}

function feature(name) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "features", value: name, checked: ["x", "y"].includes(name) });
  label.append(box, name);
  return label;
}

const isNumbers = () => choices.data[form.elements.data.value] === "numbers";

function showValues() {
  form.elements.noise.nextElementSibling.textContent = form.elements.noise.value;
  const names = isNumbers() ? [["1", "a high point"], ["0", "a middle point"], ["-1", "a low point"]] : ["blue", "orange", "green", "purple"].map((name, i) => [i, `a ${name} point`]);
  const before = part("plane-add").value;
  part("plane-add").replaceChildren(...names.map(([value, words]) => new Option(words, value)));
  if ([...part("plane-add").options].some(({ value }) => value === before)) part("plane-add").value = before;
}

export const points = () => added;

export function setPoints(all) {
  added = all;
}

/** What the form says, as the server takes it; null where it says nothing that can be used. */
export function read() {
  if (!form.reportValidity()) return null;
  const found = { points: added };
  for (const name of TEXTS) found[name] = form.elements[name].value;
  for (const name of NUMBERS) found[name] = Number(form.elements[name].value);
  found.hidden = form.elements.hidden.value.split(/[\s,]+/).filter(Boolean).map(Number);
  found.features = [...form.querySelectorAll("[name=features]:checked")].map(({ value }) => value);
  return found;
}

/** The settings and added points as the end of an address. */
export function planeLink() {
  const values = new URLSearchParams();
  for (const name of [...TEXTS, ...NUMBERS]) values.set(name, form.elements[name].value);
  values.set("hidden", form.elements.hidden.value.replaceAll(/[\s,]+/g, ","));
  values.set("features", [...form.querySelectorAll("[name=features]:checked")].map(({ value }) => value).join());
  const some = added.slice(0, IN_LINK).map(([x, y, target]) => [x, y, target].map((value) => Number(value.toFixed(3))).join("_"));
  if (some.length) values.set("points", some.join("~"));
  return values.toString().replaceAll("%2C", ",");
}

/** Put the end of an address into the form, and return what is wrong with it, in words. */
export function fromPlaneLink(text) {
  const wrong = [];
  const said = new URLSearchParams(text || start);
  for (const [name, value] of said) {
    if (name === "points") wrong.push(...readPoints(value));
    else if (name === "features") for (const box of form.querySelectorAll("[name=features]")) box.checked = value.split(",").includes(box.value);
    else if (![...TEXTS, ...NUMBERS, "hidden"].includes(name)) wrong.push(`there is no setting “${name}”`);
    else put(name, value, wrong);
  }
  if (!said.has("points")) added = [];
  showValues();
  return wrong;
}

function put(name, value, wrong) {
  const field = form.elements[name];
  const before = field.value;
  field.value = value;
  if (field.checkValidity() && (field.value !== "" || name === "hidden")) return;
  field.value = before;
  wrong.push(`${name} “${value}” can't be used`);
}

function readPoints(text) {
  const read = text.split("~").map((point) => point.split("_").map(Number));
  const good = read.filter((point) => point.length === 3 && point.every(Number.isFinite));
  added = good.slice(0, choices.points);
  return good.length < read.length ? [`${read.length - good.length} points can't be read`] : [];
}

/** Take pasted lines of x, y and a label, scaled into the plane. */
function usePasted(onChange) {
  try {
    const { points: found, numbers } = parsed(part("plane-csv").value);
    calm("points");
    form.elements.data.value = numbers ? "own numbers" : "own";
    added = found;
    showValues();
    onChange();
  } catch (error) {
    complain(error, "points");
  }
}

function parsed(text) {
  const lines = text.split(/\r?\n/).map((line, i) => ({ line: line.trim(), number: i + 1 })).filter(({ line }) => line);
  const rows = lines.map(({ line, number }) => ({ number, cells: line.split(/[,;\t]/).map((cell) => cell.trim()) }));
  if (rows.length && rows[0].cells.slice(0, 2).every((cell) => !Number.isFinite(Number(cell)))) rows.shift(); // names
  if (rows.length < 2) throw new Error("Paste at least two lines of x, y and a label, such as: 0.5, 1.2, red");
  if (rows.length > choices.points) throw new Error(`There may be ${choices.points} points; these are ${rows.length}.`);
  for (const { number, cells } of rows) {
    if (cells.length !== 3) throw new Error(`Line ${number} must have x, y and a label between commas; it has ${cells.length} parts.`);
    if (cells.slice(0, 2).some((cell) => cell === "" || !Number.isFinite(Number(cell)))) throw new Error(`Line ${number}: x and y must be numbers, got “${cells[0]}” and “${cells[1]}”.`);
  }
  const labels = rows.map(({ cells }) => cells[2]);
  const kinds = [...new Set(labels)].sort();
  const numbers = kinds.length > 4 && labels.every((label) => label !== "" && Number.isFinite(Number(label)));
  if (!numbers && (kinds.length < 2 || kinds.length > 4)) throw new Error(`Labels must be of 2 to 4 kinds, or numbers; these are of ${kinds.length}.`);
  const scaled = (column) => {
    const values = rows.map(({ cells }) => Number(cells[column]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => (high > low ? (1.8 * (value - low)) / (high - low) - 0.9 : 0));
  };
  const [x, y] = [scaled(0), scaled(1)];
  const target = numbers ? scaled(2) : labels.map((label) => kinds.indexOf(label));
  return { numbers, points: rows.map((_, i) => [x[i], y[i], target[i]]) };
}
