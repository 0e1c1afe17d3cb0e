// Puts the page together: which network is looked at, which tab is open, what the address says. Imports all the others.

import { ask } from "./api.js";
import * as draw from "./draw.js";
import * as form from "./form.js";
import { complain, percent } from "./say.js";
import { open, openTab, startTabs } from "./tabs.js";
import * as train from "./train.js";

const network = document.getElementById("network");
let models = [];
let refreshing = false;
let written = ""; // the end of the address that we wrote ourselves

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    ({ models } = await ask("/api/models"));
    for (const model of models) {
      const option = [...network.options].find(({ value }) => value === model.id) ?? network.appendChild(new Option("", model.id));
      option.textContent = describe(model);
    }
    for (const option of [...network.options]) {
      if (!models.some(({ id }) => id === option.value)) option.remove();
    }
  } finally {
    refreshing = false;
  }
}

function describe({ name, training, test_accuracy: accuracy }) {
  const parts = [];
  if (training && !["done", "stopped", "failed"].includes(training)) parts.push("training");
  if (accuracy !== null) parts.push(percent(accuracy));
  return parts.length ? `${name} (${parts.join(", ")})` : name;
}

const isSettled = (state) => state === null || ["done", "stopped", "failed", "paused"].includes(state);

/** Look at this network, on both tabs. */
function choose(facts) {
  network.value = facts.id;
  draw.setModel(facts, { settled: isSettled(facts.training) });
  train.watch(facts);
}

async function chooseNew(facts) {
  await refresh();
  choose(facts);
}

async function hearOf(id, told) {
  const facts = models.find((model) => model.id === id);
  if (!facts || network.value !== id) return;
  facts.version = told.version;
  draw.setModel({ ...facts }, { settled: isSettled(told.state) });
  if (facts.training !== told.state || facts.test_accuracy !== told.test_accuracy) {
    facts.training = told.state;
    await refresh();
  }
}

function writeAddress() {
  written = openTab() === "train" ? `#train?${form.toLink()}` : "#draw";
  history.replaceState(null, "", written);
}

function readAddress() {
  if (location.hash === written) return;
  const [name, settings] = location.hash.slice(1).split("?", 2);
  if (settings) form.write(form.fromLink(settings));
  open(name);
}

async function start() {
  draw.startDrawing();
  train.startTraining(await ask("/api/choices"), { onChange: hearOf, onModel: chooseNew, onSettings: writeAddress });
  startTabs(writeAddress);
  network.addEventListener("change", async () => {
    await refresh();
    const facts = models.find(({ id }) => id === network.value);
    if (facts) choose(facts);
  });
  addEventListener("hashchange", readAddress);
  readAddress();
  await refresh();
  choose(models.find(({ training }) => training === "running") ?? models.at(-1));
  document.body.dataset.ready = "yes"; // for those who drive the page
}

start().catch(complain);
