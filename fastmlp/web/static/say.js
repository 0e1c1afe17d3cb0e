// Words for people: a notice at the top for what went wrong, a spoken one for what changed. Imports nothing.

const notice = document.getElementById("notice");
const said = document.getElementById("said");

export function complain(error) {
  notice.textContent = error.message ?? String(error);
  notice.hidden = false;
}

export function calm() {
  notice.hidden = true;
}

export function say(text) {
  said.textContent = text;
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
