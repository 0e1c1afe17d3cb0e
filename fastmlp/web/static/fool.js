// Fool it: changes of the digit before the network sees it, and the smallest one that changes the answer. Imports api,
// pictures and say.

import { Gone, pixelsOf, send, weightsOf } from "./api.js";
import { paintInk, paintWeights } from "./pictures.js";
import { calm, complain } from "./say.js";

const part = (name) => document.getElementById(name);
const form = part("changes");
const UNITS = { noise: "", right: " px", down: " px", turn: "°", size: " ×" };

let seen = null; // {model, pixels}

/** Begin; `onChange` is called when the digit is to be looked at again. */
export function startFooling(onChange) {
  for (let digit = 0; digit < 10; digit++) part("least-target").append(new Option(digit, digit));
  form.addEventListener("input", () => {
    showValues();
    onChange();
  });
  form.addEventListener("reset", () =>
    setTimeout(() => {
      showValues();
      onChange();
    }),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  part("least").addEventListener("click", find);
  showValues();
}

/** The changes as the end of an address, empty where there is none. */
export function changesAsQuery() {
  const changed = [...form.elements].filter(({ name, value, defaultValue, checked, type }) => name && (type === "checkbox" ? checked : value !== defaultValue));
  return new URLSearchParams(changed.map(({ name, value, type }) => [name, type === "checkbox" ? "1" : value])).toString();
}

/** Take the digit that a network saw; null for none. */
export function setSeen(model, pixels) {
  seen = pixels && { model, pixels };
  part("least").disabled = !seen;
  part("least-words").textContent = "";
  part("least-pictures").hidden = true;
  const { labels } = model ?? {};
  if (labels) [...part("least-target").options].slice(1).forEach((option, i) => (option.textContent = labels[i]));
}

function showValues() {
  for (const input of form.querySelectorAll("input[type=range]")) {
    input.nextElementSibling.textContent = `${input.value.replace("-", "−")}${UNITS[input.name]}`;
  }
}

async function find() {
  const of = seen;
  try {
    calm("fool");
    const target = part("least-target").value;
    const found = await send(`/api/models/${of.model.id}/least-change?target=${target}`, of.pixels);
    if (of !== seen) return seen && find(); // another digit was drawn meanwhile
    show(found, part("least-target").selectedOptions[0].textContent, target);
  } catch (error) {
    if (!(error instanceof Gone)) complain(error, "fool");
  }
}

function show(found, wanted, target) {
  part("least-pictures").hidden = !found.found;
  if (!found.found) {
    part("least-words").textContent =
      target !== "" && found.before === wanted ? `It is taken for ${wanted} already.` : "None was found: no step towards another digit changed the answer.";
    return;
  }
  part("least-words").textContent = `${found.before} becomes ${found.after}: pixels change by ${found.mean} grey levels of 255 on average, by ${found.most} at most (length ${found.length}). An eye hardly sees it.`;
  if (found.most > 100) part("least-words").textContent = part("least-words").textContent.replace(" An eye hardly sees it.", " That is easy to see.");
  paintInk(part("least-before"), seen.pixels);
  paintWeights(part("least-change"), weightsOf(found.change.weights));
  paintInk(part("least-after"), pixelsOf(found.pixels));
}
