// Test digits, page by page, of which one can be chosen. Imports api, pictures and say.

import { ask, Newest, pixelsOf } from "./api.js";
import { paintInk, smallCanvas } from "./pictures.js";
import { complain, percent } from "./say.js";

const list = document.getElementById("digits");
const wrong = document.getElementById("wrong-ones");
const which = document.getElementById("which-digit");
const shown = document.getElementById("page-shown");
const before = document.getElementById("page-before");
const after = document.getElementById("page-after");

let model = null;
let page = 0;
let choose = () => {};

const pages = new Newest(
  () => {
    const wanted = new URLSearchParams({ wrong: wrong.checked ? 1 : 0, label: which.value, page });
    return ask(`/api/models/${model.id}/digits?${wanted}`);
  },
  show,
  complain,
);

/** Begin; `onChoose({number, label, canvas})` is called with a digit that is pressed. */
export function startGallery(onChoose) {
  choose = onChoose;
  for (let digit = 0; digit < 10; digit++) which.append(new Option(digit, digit));
  for (const control of [wrong, which]) control.addEventListener("change", () => turn(0));
  before.addEventListener("click", () => turn(page - 1));
  after.addEventListener("click", () => turn(page + 1));
}

/** Show the digits with the answers of this network. */
export function setModel(facts) {
  model = facts;
  pages.ask();
}

/** Mark no digit as the one that is looked at. */
export function chooseNone() {
  for (const button of list.querySelectorAll("[aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
}

function turn(to) {
  page = Math.max(0, to);
  pages.ask();
}

function show(found) {
  page = found.page;
  shown.textContent = `${found.total.toLocaleString("en")} digit${found.total === 1 ? "" : "s"}, page ${page + 1} of ${found.pages}`;
  before.disabled = page === 0;
  after.disabled = page + 1 >= found.pages;
  list.replaceChildren(...found.digits.map(item));
  if (!found.digits.length) {
    const none = document.createElement("li");
    none.className = "none";
    none.textContent = "There are none.";
    list.append(none);
  }
}

function item(digit) {
  const isWrong = digit.answer !== digit.label;
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  const taken = isWrong ? `, taken for a ${digit.answer} (${percent(digit.probability, 0)})` : "";
  button.setAttribute("aria-label", `Test digit ${digit.number}, a ${digit.label}${taken}`);
  const canvas = smallCanvas();
  paintInk(canvas, pixelsOf(digit.pixels));
  const caption = document.createElement("span");
  caption.textContent = isWrong ? `${digit.label} → ${digit.answer}` : digit.label;
  caption.className = isWrong ? "wrong" : "";
  button.append(canvas, caption);
  button.addEventListener("click", () => {
    chooseNone();
    button.setAttribute("aria-pressed", "true");
    choose({ number: digit.number, label: digit.label, canvas });
  });
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}
