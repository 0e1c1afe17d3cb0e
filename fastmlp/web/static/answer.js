// The answer in words, the ten probabilities, and the image that the network saw. Imports api, pictures and say.

import { pixelsOf } from "./api.js";
import { paintInk } from "./pictures.js";
import { percent } from "./say.js";

const SURE = 0.9;
const UNSURE = 0.5;

const answer = document.getElementById("answer");
const sentence = document.getElementById("sentence");
const spoken = document.getElementById("spoken");
const list = document.getElementById("probabilities");
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

/** Show what the server found; `final` says it aloud too, which while drawing would never end. */
export function showAnswer(found, { final, truth }) {
  const { probabilities, labels } = found;
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  rows.forEach(({ row, name, bar, share }, i) => {
    row.classList.toggle("first", i === order[0]);
    name.textContent = labels[i];
    bar.style.width = `${100 * probabilities[i]}%`;
    share.textContent = percent(probabilities[i]);
  });
  const [first, second] = order.map((i) => [labels[i], probabilities[i]]);
  answer.textContent = first[0];
  answer.classList.toggle("unsure", first[1] < UNSURE);
  sentence.textContent = inWords(first, second, truth);
  if (final) spoken.textContent = sentence.textContent;
  paintInk(seen, pixelsOf(found.seen));
  seen.setAttribute("aria-label", `The ${first[0]} as 28 by 28 pixels, centred`);
}

export function showNothing() {
  answer.textContent = "?";
  answer.classList.remove("unsure");
  sentence.textContent = "Draw something, or choose a test digit below.";
  spoken.textContent = "";
  for (const { row, bar, share } of rows) {
    row.classList.remove("first");
    bar.style.width = "0";
    share.textContent = "";
  }
  paintInk(seen, new Uint8Array(784));
  seen.setAttribute("aria-label", "Nothing yet");
}

function inWords([first, p], [second, q], truth) {
  const one = (label) => (label === "8" ? "an 8" : `a ${label}`);
  let words = `This is ${one(first)} (${percent(p)}).`;
  if (p < UNSURE) words = `Not sure: perhaps ${one(first)} (${percent(p)}), or ${one(second)} (${percent(q)}).`;
  else if (p < SURE) words = `Probably ${one(first)} (${percent(p)}), or ${one(second)} (${percent(q)}).`;
  if (truth === undefined) return words;
  return truth === first ? `${words} Right.` : `${words} Wrong: it is ${one(truth)}.`;
}
