// A sweep on the Compare tab: networks that differ in one or two settings and in their seeds, as a grid of small
// curves. Imports api, curves, form, say.

import { events, Gone, send } from "./api.js";
import { make, path } from "./curves.js";
import * as form from "./form.js";
import { calm, complain, percent, say } from "./say.js";

const part = (name) => document.getElementById(name);
const [WIDTH, HEIGHT] = [150, 84];
const NUMBERS = ["learning_rate", "batch_size", "dropout", "l2", "rows"];
const SUGGESTED = {
  hidden: "10, 30, 100",
  activation: "relu, tanh, sigmoid",
  optimizer: "sgd, adam",
  batch_size: "10, 100, 1000",
  dropout: "0, 0.2, 0.5",
  l2: "0, 0.0001, 0.001",
  rows: "500, 2000, 10000",
};
const WORDS = { starting: "Starting.", running: "Training.", stopping: "Stopping.", done: "Done.", stopped: "Stopped.", failed: "Failed." };

let sweep = null; // {facts, rows, told, stop}
let keepModel = () => {};

const inWords = (value) => (Array.isArray(value) ? value.join("-") || "none" : String(value));
const named = (name) => name.replaceAll("_", " ");

/** Begin; `onModel(facts)` is called with a network that is kept. */
export function startSweep({ axes }, onModel) {
  keepModel = onModel;
  const { first, second, first_values: values } = part("sweep-form").elements;
  for (const name of axes) {
    first.append(new Option(named(name), name));
    second.append(new Option(named(name), name));
  }
  second.prepend(new Option("none", ""));
  first.value = "learning_rate";
  second.value = "";
  first.addEventListener("change", () => suggest("first"));
  second.addEventListener("change", () => suggest("second"));
  values.addEventListener("focus", () => values.value || suggest("first"), { once: true });
  part("sweep-form").addEventListener("submit", start);
  part("sweep-stop").addEventListener("click", () => tried(() => send(`/api/sweeps/${sweep.facts.id}/stop`)));
}

/** Say which settings all networks of a sweep share, when the tab is opened. */
export function showShared() {
  const shared = form.read();
  part("sweep-others").textContent = `All other settings are those of the Train tab: ${shared.recipe}, ${shared.epochs} epochs, ${shared.rows.toLocaleString("en")} rows.`;
  if (!part("sweep-form").elements.first_values.value) suggest("first");
}

function suggest(which) {
  const { [which]: name, [`${which}_values`]: field } = part("sweep-form").elements;
  const rate = form.read().learning_rate;
  const rates = [rate / 10, rate, rate * 10].map((value) => Number(value.toPrecision(3)));
  field.value = name.value === "learning_rate" ? rates.join(", ") : (SUGGESTED[name.value] ?? "");
  field.required = name.value !== "";
}

function valuesOf(name, text) {
  const parts = text.split(",").map((value) => value.trim()).filter(Boolean);
  if (name === "hidden") return parts.map((value) => form.units(value.replaceAll("-", ",")));
  return NUMBERS.includes(name) ? parts.map(Number) : parts;
}

async function start(event) {
  event.preventDefault();
  const { first, second, first_values: a, second_values: b, seeds } = part("sweep-form").elements;
  const axes = { [first.value]: valuesOf(first.value, a.value) };
  if (second.value) axes[second.value] = valuesOf(second.value, b.value);
  await tried(async () => {
    const body = JSON.stringify({ settings: form.read(), axes, seeds: Number(seeds.value) });
    const facts = await send("/api/sweeps", body);
    sweep?.stop.abort();
    sweep = { facts, rows: Array.from({ length: facts.networks }, () => []), told: null, stop: new AbortController() };
    layOut();
    await follow(sweep);
  });
}

async function follow(mine) {
  for await (const told of events(`/api/sweeps/${mine.facts.id}/events`, mine.stop)) {
    if (mine !== sweep) return;
    told.networks.forEach(({ first, rows }, i) => {
      mine.rows[i].length = first;
      mine.rows[i].push(...rows);
    });
    mine.told = told;
    show(mine);
  }
}

async function tried(work) {
  try {
    calm("sweep");
    await work();
  } catch (error) {
    if (!(error instanceof Gone)) complain(error, "sweep");
  }
}

/** The table: a row for each value of the first setting, a column for each of the second. */
function layOut() {
  const [[first, rows], [second, columns] = ["", [null]]] = Object.entries(sweep.facts.axes);
  const grid = part("sweep-grid");
  grid.tHead.replaceChildren();
  grid.tBodies[0].replaceChildren();
  const head = grid.tHead.insertRow();
  head.append(heading(second ? `${named(first)} ↓ ${named(second)} →` : named(first), "col"));
  for (const value of columns) head.append(heading(second ? inWords(value) : "curves of all seeds", "col"));
  rows.forEach((value, i) => {
    const line = grid.tBodies[0].insertRow();
    line.append(heading(inWords(value), "row"));
    columns.forEach((_, j) => line.append(cell((i * columns.length + j) * sweep.facts.seeds)));
  });
}

function heading(words, scope) {
  const element = document.createElement("th");
  Object.assign(element, { textContent: words, scope });
  return element;
}

function cell(number) {
  const element = document.createElement("td");
  element.dataset.first = number;
  const mean = document.createElement("div");
  mean.className = "mean";
  const keep = document.createElement("button");
  Object.assign(keep, { type: "button", textContent: "Keep the best", hidden: true });
  keep.addEventListener("click", () => tried(async () => {
    await keepModel(await send(`/api/sweeps/${sweep.facts.id}/keep/${keep.dataset.number}`));
    say("The network is in the menu now.");
    keep.textContent = "Kept";
  }));
  element.append(make("svg", { role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}` }), mean, keep);
  return element;
}

function show({ facts, rows, told }) {
  const column = rows.some((one) => one.length && one[0].val_accuracy !== undefined) ? "val_accuracy" : "accuracy";
  const curves = rows.map((one) => one.map((row) => row[column] ?? null));
  // From the second half on: the first epochs would leave no room for what differs later.
  const late = curves.flatMap((values) => values.slice(values.length / 2)).filter((value) => value !== null);
  const [low, high] = [Math.min(1, ...late), Math.max(0, ...late)];
  const done = rows.reduce((sum, one) => sum + one.length, 0);
  part("sweep-stop").disabled = ["done", "stopped", "failed"].includes(told.state);
  part("sweep-state").textContent = `${WORDS[told.state]} ${told.message} ${done} of ${facts.networks * facts.epochs} epochs. Curves: ${column === "accuracy" ? "training" : "validation"} accuracy from ${percent(low)} to ${percent(Math.max(low, high))}, a line for each seed.`.replaceAll("  ", " ");
  const cells = [...part("sweep-grid").tBodies[0].querySelectorAll("td")];
  const means = cells.map((element) => fill(element, { facts, told, curves, low, high }));
  const best = Math.max(...means.filter((value) => value !== null));
  cells.forEach((element, i) => element.classList.toggle("best", means[i] !== null && means[i] === best));
}

function fill(element, { facts, told, curves, low, high }) {
  const first = Number(element.dataset.first);
  const numbers = Array.from({ length: facts.seeds }, (_, seed) => first + seed);
  const [svg, mean, keep] = element.children;
  const x = (i) => (i / Math.max(1, facts.epochs - 1)) * (WIDTH - 4) + 2;
  const y = (value) => HEIGHT - 4 - Math.max(-0.04, (value - low) / Math.max(1e-9, high - low)) * (HEIGHT - 8);
  svg.replaceChildren(
    ...numbers.map((number, seed) => {
      const points = curves[number].map((value, i) => [x(i), y(value), value]).filter(([, , value]) => value !== null);
      return make("path", { class: `s${seed % 8}`, d: path(points) });
    }),
  );
  const accuracies = numbers.map((number) => told.networks[number].test_accuracy).filter((value) => value !== null);
  const failed = numbers.map((number) => told.networks[number].failed).filter(Boolean);
  const average = accuracies.length ? accuracies.reduce((a, b) => a + b) / accuracies.length : null;
  const spread = accuracies.length > 1 ? Math.sqrt(accuracies.reduce((sum, a) => sum + (a - average) ** 2, 0) / (accuracies.length - 1)) : null;
  const words = average === null ? "" : `${percent(average, 2)}${spread === null ? "" : ` ± ${(100 * spread).toFixed(2)}`}`;
  mean.textContent = [words, failed.length ? `${failed.length} failed: ${failed[0].split(";")[0]}` : ""].filter(Boolean).join("; ");
  svg.setAttribute("aria-label", mean.textContent ? `test accuracy ${mean.textContent}` : `${curves[first].length} epochs so far`);
  keep.hidden = average === null || !["done", "stopped"].includes(told.state);
  keep.dataset.number = numbers.find((number) => told.networks[number].test_accuracy === Math.max(...accuracies)) ?? first;
  return average;
}
