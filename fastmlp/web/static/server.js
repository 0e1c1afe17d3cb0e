// Whether the server is there: what the page says while it is not, and does when it is back. Imports nothing.

const TRY_AGAIN_AFTER = 2000; // milliseconds
const PATIENCE = 5000;

const banner = document.getElementById("gone");

let known = null; // the server of this page, by the name that it gives itself in every response
let gone = false;
let onBack = () => {};
let timer;

/**
 * Begin. `back(same)` is called when a server answers again: `same` is false where it was started anew, so that it has
 * other networks.
 */
export function startServer(back) {
  onBack = back;
  document.getElementById("try-again").addEventListener("click", look);
}

/** Note a response of the server; returns whether it is the server that was known before. */
export function heard(name) {
  const same = known === null || known === name;
  known = name;
  if (gone || !same) {
    gone = false;
    clearTimeout(timer);
    banner.hidden = true;
    onBack(same);
  }
  return same;
}

/** Say that the server does not answer, and look for it until it does. */
export function lost() {
  if (gone) return;
  gone = true;
  banner.hidden = false;
  look();
}

/** The server's name for itself; what stands between it and the page, such as a proxy, gives none. */
export const nameOf = (response) => response.headers.get("fastmlp-server");

async function look() {
  clearTimeout(timer);
  try {
    const name = nameOf(await fetch("/api/models", { signal: AbortSignal.timeout(PATIENCE) }));
    if (name) return void heard(name);
  } catch {
    // It is still gone.
  }
  if (gone) timer = setTimeout(look, TRY_AGAIN_AFTER);
}
