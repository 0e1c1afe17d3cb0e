// The settings of a training: the form, and the link that carries them. Imports nothing.

const form = document.getElementById("settings");
const description = document.getElementById("recipe-text");
const NAMES = ["recipe", "hidden", "activation", "dropout", "loss", "optimizer", "learning_rate", "l2", "batch_size", "epochs", "rows", "seed"];
const TEXTS = ["recipe", "activation", "loss", "optimizer"];

let choices = null;
let recipes = {};

const words = (name) => name.replaceAll("_", " ");

/** Fill the form's lists; `onChange` is called when a user changed a setting. */
export function startForm(offered, onChange) {
  choices = offered;
  recipes = Object.fromEntries(choices.recipes.map((recipe) => [recipe.name, recipe]));
  const fields = form.elements;
  for (const recipe of choices.recipes) fields.recipe.append(new Option(`${recipe.name}: ${recipe.title}`, recipe.name));
  for (const name of choices.activations) fields.activation.append(new Option(words(name), name));
  for (const name of choices.losses) fields.loss.append(new Option(words(name), name));
  for (const name of Object.keys(choices.optimizers)) fields.optimizer.append(new Option(name, name));
  fields.epochs.max = choices.limits.epochs;
  fields.batch_size.max = choices.limits.batch_size;
  fields.recipe.addEventListener("change", () => write(recipes[fields.recipe.value].settings));
  fields.optimizer.addEventListener("change", suggestRate);
  fields.hidden.addEventListener("input", () => fields.hidden.setCustomValidity(complaint(fields.hidden.value)));
  form.addEventListener("input", onChange);
  form.addEventListener("change", onChange);
  write(recipes[choices.default].settings);
}

/** Put settings into the form; those that are missing become the recipe's. */
export function write(settings) {
  const recipe = recipes[settings.recipe] ?? recipes[choices.default];
  const all = { ...recipe.settings, ...settings, recipe: recipe.name };
  form.elements.rows.max = recipe.settings.rows;
  for (const name of NAMES) {
    form.elements[name].value = name === "hidden" ? all.hidden.join(", ") : all[name];
  }
  form.elements.hidden.setCustomValidity("");
  description.textContent = `${recipe.source}. ${recipe.description}`;
}

/** Change some settings, as a user does. */
export function change(settings) {
  for (const [name, value] of Object.entries(settings)) form.elements[name].value = value;
  form.dispatchEvent(new Event("change"));
}

/** What the form says, as the server takes it. */
export function read() {
  const found = {};
  for (const name of NAMES) {
    const { value } = form.elements[name];
    found[name] = TEXTS.includes(name) ? value : name === "hidden" ? units(value) : Number(value);
  }
  return found;
}

/** The settings as the end of an address, as they stand in the form. */
export function toLink() {
  const values = NAMES.map((name) => [name, form.elements[name].value.trim().replaceAll(/[\s,]+/g, ",")]);
  return new URLSearchParams(values).toString().replaceAll("%2C", ",");
}

/**
 * Put into the form what the end of an address says, and return what is wrong with it, in words. In the place of what
 * can't be used, as of what is missing, stands the recipe's.
 */
export function fromLink(text) {
  const wrong = [];
  const said = new Map();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!NAMES.includes(name)) wrong.push(`there is no setting “${name}”, but ${NAMES.join(", ")}`);
    else if (said.has(name)) wrong.push(`${name} is given twice`);
    else said.set(name, value);
  }
  const recipe = said.get("recipe") ?? choices.default;
  if (!recipes[recipe]) wrong.push(`recipe “${recipe}” must be one of ${Object.keys(recipes).join(", ")}`);
  said.delete("recipe");
  write((recipes[recipe] ?? recipes[choices.default]).settings);
  for (const [name, value] of said) {
    const expected = put(name, value);
    if (expected) wrong.push(`${name} “${value}” must be ${expected}`);
  }
  return wrong;
}

/** Put a value into a field; one that doesn't go is left out, and what does go is returned, in words. */
function put(name, value) {
  const field = form.elements[name];
  const before = field.value;
  field.value = value;
  if (name === "hidden") field.setCustomValidity(complaint(value));
  if (field.checkValidity() && (field.value !== "" || name === "hidden")) return "";
  field.value = before;
  if (name === "hidden") field.setCustomValidity("");
  return expectedOf(field);
}

function expectedOf({ name, options, min, max, step }) {
  const { layers, units } = choices.limits;
  if (name === "hidden") return `whole numbers from 1 to ${units}, separated by commas, such as 128,64; ${layers} at most`;
  if (options) return `one of ${[...options].map(({ value }) => value).join(", ")}`;
  const kind = step === "any" ? "a number" : "a whole number";
  return max ? `${kind} from ${min} to ${max}` : `${kind} from ${min} up`;
}

export function units(text) {
  return text.split(/[\s,]+/).filter(Boolean).map(Number);
}

function complaint(text) {
  const { units: most, layers } = choices.limits;
  const all = units(text);
  if (!all.every((n) => Number.isInteger(n) && n >= 1 && n <= most)) {
    return `Give whole numbers from 1 to ${most}, separated by commas, such as 128, 64.`;
  }
  return all.length > layers ? `There may be ${layers} hidden layers at most.` : "";
}

/** A learning rate belongs to its optimizer: the recipe's where it has this one, else the optimizer's own. */
function suggestRate() {
  const { recipe, optimizer, learning_rate: rate } = form.elements;
  const { settings } = recipes[recipe.value];
  rate.value = settings.optimizer === optimizer.value ? settings.learning_rate : choices.optimizers[optimizer.value];
}
