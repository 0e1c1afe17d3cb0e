// The Compare tab: curves of several networks in one chart, and what differs between them. Imports api, curves, say.

import { ask, Gone, Newest } from "./api.js";
import { drawCurves, make } from "./curves.js";
import { calm, complain, percent } from "./say.js";

const part = (name) => document.getElementById(name);
const COLOURS = 8;
const SHOWN_AT_FIRST = 6;
const AGAIN_AFTER = 700; // milliseconds, while a network is trained
const SETTINGS = ["recipe", "hidden", "activation", "dropout", "loss", "optimizer", "learning_rate", "l2", "batch_size", "epochs", "rows", "seed"];

let runs = [];
const unchecked = new Set(); // identities that a user took out of the chart
const checked = new Set(); // and those that a user put in
let isOpen = () => false;

const news = new Newest(
  () => ask("/api/runs"),
  (found) => {
    ({ runs } = found);
    calm("compare");
    show();
    if (runs.some(({ training }) => training === "running" || training === "starting")) setTimeout(refresh, AGAIN_AFTER);
  },
  (error) => {
    if (!(error instanceof Gone)) complain(error, "compare");
  },
);

/** Begin; `open` says whether the tab is open. */
export function startCompare(open) {
  isOpen = open;
  part("runs-curve").addEventListener("change", show);
}

/** Ask for the networks and their curves, where anybody looks. */
export function refresh() {
  if (isOpen()) news.ask();
}

const letter = (run) => {
  const number = runs.indexOf(run);
  return String.fromCharCode(65 + (number % 26)) + (number < 26 ? "" : Math.floor(number / 26));
};
const kind = (run) => `s${runs.indexOf(run) % COLOURS}`;

function isShown(run) {
  if (checked.has(run.id)) return true;
  return !unchecked.has(run.id) && runs.length - runs.indexOf(run) <= SHOWN_AT_FIRST;
}

function show() {
  showList();
  const shown = runs.filter(isShown);
  showChart(shown);
  showDifferences(shown);
}

function showList() {
  const focused = document.activeElement?.dataset?.run;
  part("runs").replaceChildren(...runs.map(item));
  if (focused) part("runs").querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
}

function item(run) {
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", checked: isShown(run) });
  box.dataset.run = run.id;
  box.addEventListener("change", () => {
    (box.checked ? checked : unchecked).add(run.id);
    (box.checked ? unchecked : checked).delete(run.id);
    show();
  });
  const line = make("svg", { viewBox: "0 0 34 12", "aria-hidden": "true" });
  line.append(make("line", { class: `series ${kind(run)}`, x1: 0, x2: 34, y1: 6, y2: 6 }));
  const words = [`${letter(run)}: ${run.name}`];
  if (run.test_accuracy !== null) words.push(percent(run.test_accuracy, 2));
  const label = document.createElement("label");
  label.append(box, line, words.join(", "));
  const entry = document.createElement("li");
  entry.append(label);
  return entry;
}

function showChart(shown) {
  const column = part("runs-curve").value;
  const having = shown.filter(({ curves }) => curves[column]?.some((value) => value !== null));
  const curves = having.map((run) => ({ name: letter(run), kind: kind(run), values: run.curves[column] }));
  const isShare = column.endsWith("accuracy");
  drawCurves(part("runs-chart"), {
    title: part("runs-curve").selectedOptions[0].textContent,
    curves,
    epochs: Math.max(2, ...curves.map(({ values }) => values.length)),
    format: isShare ? (value, exact) => percent(value, exact ? 2 : 0) : (value) => String(Number(value.toPrecision(3))),
    upTo: isShare ? 1 : undefined,
    size: [Math.max(300, part("runs-chart").clientWidth), 300],
  });
  const without = shown.filter((run) => !having.includes(run)).map(letter);
  const why = column.startsWith("val_") ? "nothing was validated" : "nothing was recorded";
  part("runs-without").textContent = without.length ? `No such curve of ${without.join(", ")}: ${why}.` : "";
}

const settingsOf = (run) => run.settings ?? { hidden: run.layers.slice(0, -1).map(({ units }) => units), activation: run.layers[0].activation, loss: run.loss, epochs: run.epochs };

function showDifferences(shown) {
  const rows = SETTINGS.map((name) => [name.replaceAll("_", " "), shown.map((run) => inWords(settingsOf(run)[name]))]);
  const differing = rows.filter(([, values]) => new Set(values).size > 1);
  const accuracies = shown.map((run) => run.test_accuracy);
  const best = Math.max(...accuracies.filter((value) => value !== null));
  const table = part("differences");
  table.tHead.replaceChildren(row("th", "setting", shown.map(letter)));
  table.tBodies[0].replaceChildren(
    ...differing.map(([name, values]) => row("td", name, values)),
    row("td", "parameters", shown.map((run) => run.parameters.toLocaleString("en"))),
    row("td", "test accuracy", accuracies.map((value) => (value === null ? "–" : percent(value, 2))), accuracies.map((value) => value === best)),
  );
}

const inWords = (value) => (value === undefined ? "–" : Array.isArray(value) ? value.join("-") || "none" : String(value).replaceAll("_", " "));

function row(cell, name, values, marked = []) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = cell === "th" ? "col" : "row";
  head.textContent = name;
  line.append(head);
  values.forEach((value, i) => {
    const one = document.createElement(cell);
    if (cell === "th") one.scope = "col";
    one.textContent = value;
    one.className = marked[i] ? "best" : "";
    line.append(one);
  });
  return line;
}
