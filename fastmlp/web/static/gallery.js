// Test digits, page by page, of which one can be chosen. Imports api, pictures and say.

import { ask, Gone, Newest, pixelsOf } from "./api.js";
import { paintInk, smallCanvas } from "./pictures.js";
import { calm, complain, outputInWords } from "./say.js";

const list = document.getElementById("digits");
const wrong = document.getElementById("wrong-ones");
const which = document.getElementById("which-digit");
const shown = document.getElementById("page-shown");
const before = document.getElementById("page-before");
const after = document.getElementById("page-after");
const told = document.getElementById("digit-told");
const toldPicture = document.getElementById("digit-picture");
const toldWords = document.getElementById("digit-sentence");

let model = null;
let page = 0;
let chosen = null; // the number of the digit that is looked at
let choose = () => {};

const pages = new Newest(
  async () => {
    const by = model;
    const wanted = new URLSearchParams({ wrong: wrong.checked ? 1 : 0, label: which.value, page });
    return { by, ...(await ask(`/api/models/${by.id}/digits?${wanted}`)) };
  },
  show,
  (error) => {
    if (!(error instanceof Gone)) complain(error, "gallery");
  },
);

/** Begin; `onChoose({number, canvas})` is called with a digit that is pressed. */
export function startGallery(onChoose) {
  choose = onChoose;
  for (let digit = 0; digit < 10; digit++) which.append(new Option(digit, digit));
  for (const control of [wrong, which]) control.addEventListener("change", () => turn(0));
  before.addEventListener("click", () => turn(page - 1));
  after.addEventListener("click", () => turn(page + 1));
  document.getElementById("to-answer").addEventListener("click", () => {
    document.getElementById("answer-title").scrollIntoView();
  });
}

/** Show the digits with the answers of this network. */
export function setModel(facts) {
  model = facts;
  pages.ask();
}

/** Look at no digit. */
export function chooseNone() {
  mark(null);
  told.hidden = true;
}

/** Say the answer to the digit that is looked at here too, for the one above may be out of sight. */
export function tell(words) {
  toldWords.textContent = words;
}

function mark(number) {
  chosen = number;
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.number) === chosen));
  }
}

function turn(to) {
  page = Math.max(0, to);
  pages.ask();
}

function show(found) {
  if (found.by !== model) return; // another network's answers come next
  calm("gallery");
  page = found.page;
  shown.textContent = `${found.total.toLocaleString("en")} digit${found.total === 1 ? "" : "s"}, page ${page + 1} of ${found.pages}`;
  before.disabled = page === 0;
  after.disabled = page + 1 >= found.pages;
  list.replaceChildren(...found.digits.map((digit) => item(digit, found.kind)));
  mark(chosen);
  if (!found.digits.length) {
    const none = document.createElement("li");
    none.className = "none";
    none.textContent = "There are none.";
    list.append(none);
  }
}

function item(digit, kind) {
  const isWrong = digit.answer !== digit.label;
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.number = digit.number;
  const taken = isWrong ? `, taken for a ${digit.answer} (${outputInWords(kind, digit.output)})` : "";
  button.setAttribute("aria-label", `Test digit ${digit.number}, a ${digit.label}${taken}`);
  const canvas = smallCanvas();
  paintInk(canvas, pixelsOf(digit.pixels));
  const caption = document.createElement("span");
  caption.textContent = isWrong ? `${digit.label} → ${digit.answer}` : digit.label;
  caption.className = isWrong ? "wrong" : "";
  button.append(canvas, caption);
  button.addEventListener("click", () => {
    mark(digit.number);
    paintInk(toldPicture, pixelsOf(digit.pixels));
    tell("");
    told.hidden = false;
    button.scrollIntoView({ block: "nearest" }); // from under what is told
    choose({ number: digit.number, canvas });
  });
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}
