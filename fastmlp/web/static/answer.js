// The answer in words, the ten outputs, and the image that the network saw. Imports api, pictures and say.

import { pixelsOf } from "./api.js";
import { paintInk } from "./pictures.js";
import { outputInWords } from "./say.js";

const SURE = 0.9;
const UNSURE = 0.5;

const KINDS = {
  probabilities: "Probabilities, by a softmax: together they are 100 %.",
  sigmoids: "Each output is a sigmoid of its own, from 0 to 1: all may be small, or several near 1.",
  numbers: "The outputs have no bounds; the largest is the answer.",
};

const answer = document.getElementById("answer");
const sentence = document.getElementById("sentence");
const spoken = document.getElementById("spoken");
const list = document.getElementById("outputs");
const kinds = document.getElementById("outputs-kind");
const seen = document.getElementById("seen");

const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement("li");
  const [name, track, bar, share] = ["span", "span", "span", "span"].map((kind) => document.createElement(kind));
  [name.className, track.className, bar.className, share.className] = ["name", "track", "bar", "share"];
  name.textContent = digit;
  track.append(bar);
  row.append(name, track, share);
  list.append(row);
  return { row, name, bar, share };
});

/**
 * Show what the server found, and return it as a sentence; `final` says it aloud too, which while drawing would never
 * end.
 */
export function showAnswer(found, { final }) {
  const { outputs, kind, labels } = found;
  const order = outputs.map((_, i) => i).sort((a, b) => outputs[b] - outputs[a]);
  const full = Math.max(1, outputs[order[0]]);
  rows.forEach(({ row, name, bar, share }, i) => {
    row.classList.toggle("first", i === order[0]);
    name.textContent = labels[i];
    bar.style.width = `${(100 * Math.max(0, outputs[i])) / full}%`;
    share.textContent = outputInWords(kind, outputs[i]);
  });
  const [first, second] = order.map((i) => ({ label: labels[i], value: outputs[i] }));
  answer.textContent = first.label;
  answer.classList.toggle("unsure", first.value < UNSURE);
  sentence.textContent = inWords(found, first, second);
  kinds.textContent = KINDS[kind];
  if (final) spoken.textContent = sentence.textContent;
  paintInk(seen, pixelsOf(found.seen));
  seen.setAttribute("aria-label", `The ${first.label} as 28 by 28 pixels, centred`);
  return sentence.textContent;
}

export function showNothing(words = "Draw something, or choose a test digit below.") {
  answer.textContent = "?";
  answer.classList.remove("unsure");
  sentence.textContent = words;
  spoken.textContent = kinds.textContent = "";
  for (const { row, bar, share } of rows) {
    row.classList.remove("first");
    bar.style.width = "0";
    share.textContent = "";
  }
  paintInk(seen, new Uint8Array(784));
  seen.setAttribute("aria-label", "Nothing yet");
}

const one = (label) => (label === "8" ? "an 8" : `a ${label}`);

function inWords({ kind, label: truth, right }, first, second) {
  const words = WORDS[kind](first, second);
  if (truth === undefined) return words;
  return right ? `${words} Right.` : `${words} Wrong: it is ${one(truth)}.`;
}

const WORDS = {
  probabilities(first, second) {
    const [a, b] = [first, second].map(({ label, value }) => `${one(label)} (${outputInWords("probabilities", value)})`);
    if (first.value < UNSURE) return `Not sure: perhaps ${a}, or ${b}.`;
    return first.value < SURE ? `Probably ${a}, or ${b}.` : `This is ${a}.`;
  },
  sigmoids(first, second) {
    const [a, b] = [first, second].map(({ value }) => outputInWords("sigmoids", value));
    if (first.value < UNSURE) return `No output reaches 0.5: the largest, for ${first.label}, is ${a}.`;
    if (second.value >= UNSURE) return `Probably ${one(first.label)} (output ${a}), or ${one(second.label)} (${b}).`;
    return `${first.value < SURE ? "Probably" : "This is"} ${one(first.label)} (output ${a}).`;
  },
  numbers(first, second) {
    const [a, b] = [first, second].map(({ value }) => outputInWords("numbers", value));
    return `The largest output is that of ${first.label} (${a}), the next that of ${second.label} (${b}).`;
  },
};
