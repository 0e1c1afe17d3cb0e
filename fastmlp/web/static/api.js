// Requests to the server this page came from, and its numbers as arrays. Imports nothing.

export class Refused extends Error {}

/** Ask for JSON; an error of the server becomes a Refused with its sentence. */
export async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Refused("The server does not answer; is “fastmlp serve” still running?");
  }
  const found = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (!response.ok) throw new Refused(found.error);
  return found;
}

export const send = (address, body, options = {}) => ask(address, { method: "POST", body, ...options });

function bytes(base64) {
  const text = atob(base64);
  const array = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
  return array;
}

export const pixelsOf = (base64) => bytes(base64);
export const floatsOf = (base64) => new Float32Array(bytes(base64).buffer);
export const weightsOf = (base64) => new Int8Array(bytes(base64).buffer);

/**
 * Requests of which only the newest counts: one is under way at a time, and of those asked for meanwhile the last is
 * sent when it is back. `work` does the request, `show` gets its answer.
 */
export class Newest {
  constructor(work, show, fail) {
    Object.assign(this, { work, show, fail, waiting: null, busy: false });
  }

  async ask(thing) {
    this.waiting = { thing };
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting) {
        const { thing } = this.waiting;
        this.waiting = null;
        try {
          this.show(await this.work(thing), thing);
        } catch (error) {
          this.fail(error, thing);
        }
      }
    } finally {
      this.busy = false;
    }
  }

  forget() {
    this.waiting = null;
  }
}
