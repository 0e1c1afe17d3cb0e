// The Train tab: start a training, watch it, steer it; save and load networks. Imports api, curves, form, pictures, say.

import { ask, events, fileOf, Gone, send, weightsOf } from "./api.js";
import { drawCurves } from "./curves.js";
import * as form from "./form.js";
import { paintWeights, smallCanvas } from "./pictures.js";
import { calm, complain, percent, reveal, say } from "./say.js";

const part = (name) => document.getElementById(name);
const WORDS = {
  starting: "Starting: the first training on a machine compiles the kernels, which takes a while.",
  running: "Training.",
  pausing: "Pausing.",
  paused: "Paused.",
  stopping: "Stopping.",
  done: "Done.",
  stopped: "Stopped; the network is as it was after its last finished epoch.",
  failed: "Failed.",
};

let watched = null; // {id, stop, rows, told, isBroken}
let report = () => {};

/** Begin; `onChange(id, told)` is called when a training has news, `onModel(facts)` with a new network. */
export function startTraining(choices, { onChange, onModel, onSettings }) {
  report = onChange;
  form.startForm(choices, onSettings);
  part("settings").addEventListener("submit", async (event) => {
    event.preventDefault();
    const slow = Number(event.submitter === part("start-slow"));
    part("start").disabled = part("start-slow").disabled = true;
    const before = part("training-state").textContent;
    part("training-state").textContent = "Starting.";
    reveal(part("progress-title")); // below the form on a narrow screen
    await tried(
      async () => onModel(await send(`/api/trainings?slow=${slow}`, JSON.stringify(form.read()))),
      () => (part("training-state").textContent = before),
    );
    part("start").disabled = part("start-slow").disabled = false;
  });
  part("pause").addEventListener("click", () => steer(isPaused() ? "resume" : "pause"));
  part("stop").addEventListener("click", () => steer("stop"));
  for (const button of part("advances").children) button.addEventListener("click", () => steer(button.dataset.by));
  part("copy-link").addEventListener("click", copyLink);
  part("overfit").addEventListener("click", () => form.change({ rows: 1000, dropout: 0, l2: 0 }));
  part("load-network").addEventListener("click", () => part("network-file").click());
  part("network-file").addEventListener("change", () => load(part("network-file"), onModel));
  part("save").addEventListener("click", () => tried(save));
  showNothing("Nothing is training.");
}

/** Show the training of a network, from its first epoch; of one that was loaded there is none. */
export function watch(facts) {
  if (watched?.id === facts.id && !watched.isBroken) return;
  watched?.stop.abort();
  const mine = { id: facts.id, rows: [], told: null, stop: new AbortController(), isBroken: false };
  watched = mine;
  part("save").disabled = false;
  if (facts.training === null) {
    showNothing(`${facts.name} was loaded; it was trained for ${facts.epochs} epochs.`);
    tried(async () => {
      const weights = await ask(`/api/models/${facts.id}/weights`);
      if (mine === watched) showWeights(weights);
    });
  } else {
    showNothing("");
    follow(mine);
  }
}

/** Forget the training, for its server is gone. */
export function forgetModel() {
  watched?.stop.abort();
  watched = null;
}

async function follow(mine) {
  try {
    for await (const told of events(`/api/trainings/${mine.id}/events`, mine.stop)) {
      if (mine !== watched) return;
      mine.rows.length = told.first;
      mine.rows.push(...told.rows);
      mine.told = told;
      showTold(mine);
      report(mine.id, told);
    }
  } catch (error) {
    if (mine !== watched) return;
    mine.isBroken = true; // and watched from its beginning when the server is back
    part("pause").disabled = part("stop").disabled = true;
    part("training-state").textContent =
      error instanceof Gone ? "The server does not answer: what is shown is what was heard of it last." : error.message;
    if (!(error instanceof Gone)) complain(error, "training");
  }
}

const isPaused = () => ["paused", "pausing"].includes(watched?.told?.state);

async function tried(work, undo = () => {}) {
  try {
    calm("training");
    await work();
  } catch (error) {
    undo();
    if (!(error instanceof Gone)) complain(error, "training");
  }
}

const steer = (what) => tried(() => send(`/api/trainings/${watched.id}/${what}`));

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link was copied.");
    part("copy-link").textContent = "Copied";
    setTimeout(() => (part("copy-link").textContent = "Copy a link to these settings"), 1500);
  } catch {
    complain(new Error(`This browser does not let a page copy; the link is ${location.href}`), "training");
  }
}

async function save() {
  // The one that is chosen now: it is watched only once the server has told of it.
  const { name, bytes } = await fileOf(`/api/models/${part("network").value}/file`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then it was read
}

async function load(input, onModel) {
  const [file] = input.files;
  input.value = "";
  if (!file) return;
  await tried(async () => {
    const bytes = await file.arrayBuffer().catch(() => Promise.reject(new Error(`${file.name} can't be read; choose it again.`)));
    await onModel(await send(`/api/models?${new URLSearchParams({ name: file.name })}`, bytes));
  });
}

function showNothing(words) {
  part("training-state").textContent = words;
  part("advice").hidden = true;
  for (const name of ["accuracy", "loss", "epoch", "seconds"]) part(name).textContent = "–";
  part("accuracy-name").textContent = "accuracy";
  part("share-done").value = 0;
  part("pause").textContent = "Pause";
  part("pause").disabled = part("stop").disabled = true;
  part("advances").hidden = true;
  part("epochs").tBodies[0].replaceChildren();
  showCurves([], 10);
  part("weights").replaceChildren();
  part("weights").setAttribute("aria-label", "No weights yet");
}

function showTold({ rows, told }) {
  const over = ["done", "stopped", "failed"].includes(told.state);
  const words = [WORDS[told.state], told.message];
  if (told.test_accuracy !== null) words.push(`Accuracy on the 10,000 test digits: ${percent(told.test_accuracy, 2)}.`);
  const text = words.filter(Boolean).join(" ");
  // Written only when it changes, for a screen reader reads it out.
  if (part("training-state").textContent !== text) part("training-state").textContent = text;
  if (part("advice").textContent !== told.advice) part("advice").textContent = told.advice;
  part("advice").hidden = !told.advice;
  part("pause").textContent = isPaused() ? "Go on" : "Pause";
  part("pause").disabled = over || told.state === "stopping";
  part("stop").disabled = over || told.state === "stopping";
  showAdvances(told);
  const point = told.points.at(-1);
  part("share-done").value = Math.max(rows.length, point?.[0] ?? 0) / told.epochs;
  const last = rows.at(-1) ?? withinFirst(point);
  if (last) {
    const validated = last.val_accuracy !== undefined;
    part("accuracy-name").textContent = validated ? "validation accuracy" : "training accuracy";
    part("accuracy").textContent = percent((validated ? last.val_accuracy : last.accuracy) ?? NaN, 2);
    part("loss").textContent = ((validated ? last.val_loss : last.loss) ?? NaN).toPrecision(3);
    const epoch = over ? rows.length : Math.max(rows.length, Number((point?.[0] ?? 0).toFixed(2)));
    part("epoch").textContent = `${epoch} / ${told.epochs}`;
    part("seconds").textContent = last.seconds?.toPrecision(2) ?? "–";
  }
  showCurves(rows, told.epochs, told.points);
  showRows(rows);
  showWeights(told.weights);
}

/** What is known of the first epoch while it is under way: of the last steps. */
const withinFirst = (point) => point && { loss: point[1], accuracy: point[2] };

function showAdvances({ state, slow, epochs }) {
  const group = part("advances");
  const focused = group.contains(document.activeElement);
  group.hidden = !["paused", "running", "starting"].includes(state) || (!slow && state !== "paused");
  for (const button of group.children) button.disabled = state !== "paused" && !focused;
  group.querySelector("[data-by=batch]").hidden = !slow;
  group.title = slow ? `A batch is one step of gradient descent. ${epochs} epochs in all.` : "";
}

function showCurves(rows, epochs, points = []) {
  const within = (column) => points.map(([at, loss, accuracy]) => [at, column === "loss" ? loss : accuracy]);
  const curves = (column) =>
    [
      { name: "training", kind: "training", values: rows.map((row) => row[column] ?? null) },
      { name: "validation", kind: "validation", values: rows.map((row) => row[`val_${column}`] ?? null) },
    ].filter(({ values }, i) => i === 0 || values.some((value) => value !== null));
  const inPercent = (value, exact) => `${(100 * value).toFixed(exact ? 2 : 1).replace(/\.0$/, "")} %`;
  const inFigures = (value) => String(Number(value.toPrecision(3)));
  drawCurves(part("accuracy-curve"), { title: "Accuracy", curves: curves("accuracy"), epochs, format: inPercent, upTo: 1, shade: "below", within: within("accuracy") });
  drawCurves(part("loss-curve"), { title: "Loss", curves: curves("loss"), epochs, format: inFigures, shade: "above", within: within("loss") });
}

function showRows(rows) {
  const body = part("epochs").tBodies[0];
  for (const row of rows.slice(body.rows.length)) {
    const cells = body.insertRow(0).insertCell.bind(body.rows[0]);
    const figures = [row.epoch, row.loss, row.accuracy, row.val_loss, row.val_accuracy];
    figures.forEach((value, i) => (cells().textContent = value == null ? "–" : i ? value.toFixed(4) : value));
  }
}

function showWeights({ weights, neurons, limit }) {
  const place = part("weights");
  const all = weightsOf(weights);
  if (place.children.length !== neurons) place.replaceChildren(...Array.from({ length: neurons }, smallCanvas));
  [...place.children].forEach((canvas, i) => paintWeights(canvas, all.subarray(784 * i, 784 * (i + 1))));
  place.setAttribute("aria-label", `Weights of ${neurons} neurons as images, from −${limit.toPrecision(2)} to ${limit.toPrecision(2)}`);
}
