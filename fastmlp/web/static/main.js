// Puts the page together: which network is looked at, which tab is open, what the address says. Imports all the others.

import { ask, dropPending, Gone } from "./api.js";
import * as compare from "./compare.js";
import * as draw from "./draw.js";
import * as form from "./form.js";
import { startNetworks } from "./networks.js";
import { forgetPlane, planeOpened, startPlane } from "./plane.js";
import { fromPlaneLink, planeLink } from "./planeForm.js";
import { calm, complain, percent } from "./say.js";
import { startServer } from "./server.js";
import { showShared, startSweep } from "./sweep.js";
import { names, open, openTab, startTabs } from "./tabs.js";
import * as train from "./train.js";
import { startWords } from "./words.js";

const network = document.getElementById("network");
let models = [];
let looked = null; // the identity of the network that is looked at
let refreshed = Promise.resolve();
let written = ""; // the end of the address that we wrote ourselves

/** Ask which networks there are, after everybody who asked before. */
function refresh() {
  refreshed = refreshed.catch(() => {}).then(askForModels);
  return refreshed;
}

async function askForModels() {
  ({ models } = await ask("/api/models"));
  for (const model of models) {
    const option = [...network.options].find(({ value }) => value === model.id) ?? network.appendChild(new Option("", model.id));
    option.textContent = describe(model);
  }
  for (const option of [...network.options]) {
    if (!models.some(({ id }) => id === option.value)) option.remove();
  }
  if (looked === null || models.some(({ id }) => id === looked)) return;
  complain(new Error("That network made room for newer ones on the server; this page goes on with another one."), "page");
  choose(newest());
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
  network.value = looked = facts.id;
  document.body.dataset.network = facts.id; // for those who drive the page
  draw.setModel(facts, { settled: isSettled(facts.training) });
  train.watch(facts);
}

async function chooseNew(facts) {
  await refresh();
  choose(facts);
  compare.refresh();
}

async function renamedOrDeleted(deleted) {
  if (deleted) looked = null; // so that nobody is told that it made room
  await refresh();
  if (deleted) choose(newest());
  compare.refresh();
}

const present = () => models.find(({ id }) => id === network.value);
const newest = () => models.find(({ training }) => training === "running") ?? models.at(-1);

async function hearOf(id, told) {
  const facts = models.find((model) => model.id === id);
  if (!facts || network.value !== id) return;
  facts.version = told.version;
  draw.setModel({ ...facts }, { settled: isSettled(told.state) });
  if (facts.training !== told.state || facts.test_accuracy !== told.test_accuracy) {
    facts.training = told.state;
    await tried(refresh);
  }
}

/** A server answers again: the same one, or one that was started anew and has other networks. */
async function backAgain(same) {
  if (!document.body.dataset.ready) return location.reload(); // it was gone before all of the page was there
  dropPending();
  if (!same) {
    draw.forgetModel();
    train.forgetModel();
    forgetPlane();
    network.replaceChildren();
    looked = null;
    const words = "The server was started again, so its networks of before are gone, but for those that were saved.";
    complain(new Error(`${words} This page goes on with the one chosen above; what you drew and set is still here.`), "server");
  }
  await tried(refresh);
  const facts = (same && present()) || newest();
  if (facts) choose(facts);
  if (same) draw.lookAgain();
}

async function tried(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Gone)) complain(error, "page");
  }
}

function writeAddress() {
  const settings = { train: form.toLink, plane: planeLink }[openTab()];
  written = `#${openTab()}${settings ? `?${settings()}` : ""}`;
  history.replaceState(null, "", written);
  calm("link");
  opened();
}

/** What a tab shows is asked for when it is opened. */
function opened() {
  compare.refresh();
  if (openTab() === "compare") showShared();
  planeOpened();
}

function readAddress() {
  if (location.hash === written) return;
  const [, name, settings] = /^#?([^?]*)\??(.*)$/s.exec(location.hash);
  const wrong = settings ? (name === "plane" ? fromPlaneLink : form.fromLink)(settings) : [];
  if (name && !names.includes(name)) wrong.push(`there is no tab “${name}”, but ${names.join(" and ")}`);
  open(name);
  if (wrong.length) complain(new Error(`Parts of this link can't be used: ${wrong.join("; ")}.`), "link");
  else calm("link");
  opened();
}

async function start() {
  startServer((same) => tried(() => backAgain(same)));
  draw.startDrawing();
  const choices = await ask("/api/choices");
  train.startTraining(choices, { onChange: hearOf, onModel: chooseNew, onSettings: writeAddress });
  startWords(document.getElementById("settings"));
  startNetworks(present, renamedOrDeleted);
  compare.startCompare(() => openTab() === "compare");
  startSweep(choices, chooseNew);
  startPlane(choices, () => openTab() === "plane", writeAddress);
  startTabs(writeAddress);
  network.addEventListener("change", () =>
    tried(async () => {
      calm("page");
      looked = network.value;
      await refresh();
      choose(present());
    }),
  );
  addEventListener("hashchange", readAddress);
  readAddress();
  await refresh();
  choose(newest());
  document.body.dataset.ready = "yes"; // for those who drive the page
}

start().catch((error) => complain(error, "page"));
