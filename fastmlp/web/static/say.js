// Words for people: a notice at the top for what went wrong, a spoken one for what changed. Imports nothing.

const notice = document.getElementById("notice");
const text = document.getElementById("notice-text");
const said = document.getElementById("said");

let about = null; // what the notice is about, which alone can take it back

document.getElementById("notice-close").addEventListener("click", () => (notice.hidden = true));

/** Say what went wrong, until `calm` is called about the same thing, or somebody closes the notice. */
export function complain(error, aboutWhat) {
  about = aboutWhat;
  text.textContent = error.message ?? String(error);
  notice.hidden = false;
}

/** Take a complaint back, for what it was about went well. */
export function calm(aboutWhat) {
  if (about === aboutWhat) notice.hidden = true;
}

export function say(words) {
  said.textContent = words;
}

/** Scroll to what has changed where it is out of sight. */
export function reveal(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) element.scrollIntoView({ block: "start" });
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;

/** A number in a few figures. */
export function figure(value) {
  const text = Math.abs(value) < 1000 ? value.toFixed(3) : value.toPrecision(3);
  return (Number(text) === 0 ? "0.000" : text).replaceAll("-", "−");
}

/** An output as what it is: a probability in percent; all others, which need not add up to 1, as the numbers they are. */
export const outputInWords = (kind, value) => (kind === "probabilities" ? percent(value) : figure(value));
