// Requests to the server this page came from, and its numbers as arrays. Imports server.js.

import { heard, lost, nameOf } from "./server.js";

const PATIENCE = 60_000; // milliseconds that an answer may take; the first one may have to wait for the kernels
const SILENCE = 10_000; // that events may stay away; the server says every two seconds that it is still there

/** What the server answered to a request that it does not meet, in a sentence. */
export class Refused extends Error {}

/** The server did not answer; the page says so already, and looks for it. */
export class Gone extends Refused {}

const pending = new Set(); // what can end the requests that wait for an answer

/** Wait no longer for what was asked: the server was gone meanwhile, and may never have heard of it. */
export function dropPending() {
  for (const stop of pending) stop.abort();
}

/** Whether the page itself gave up waiting, for the answer is no longer needed. */
const isLeft = (stop) => stop.signal.reason?.name === "AbortError";

const timeOut = (stop, milliseconds) =>
  setTimeout(() => stop.abort(new DOMException("The server is silent.", "TimeoutError")), milliseconds);

async function request(address, options, stop = new AbortController()) {
  pending.add(stop);
  const timer = timeOut(stop, PATIENCE);
  const response = await fetch(address, { ...options, signal: stop.signal }).catch(() => null);
  clearTimeout(timer);
  pending.delete(stop);
  const name = response && nameOf(response);
  if (!name) {
    if (!isLeft(stop)) lost();
    throw new Gone("The server does not answer.");
  }
  if (!heard(name)) throw new Gone("The server was started again.");
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Refused(error ?? `The server answered ${response.status}.`);
}

/** Ask for JSON; an error of the server becomes a Refused with its sentence. */
export async function ask(address, options) {
  const response = await request(address, options);
  return response.json().catch(() => {
    lost();
    throw new Gone("The server's answer broke off.");
  });
}

/** Ask for a file: its bytes, and the name that the server gives it. */
export async function fileOf(address) {
  const response = await request(address);
  const [, name] = /filename="(.*)"/.exec(response.headers.get("content-disposition"));
  return { name, bytes: await response.blob() };
}

/** Events of the server, one after another, until it says that there are no more; `stop`, an AbortController, ends them. */
export async function* events(address, stop) {
  const response = await request(address, {}, stop);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let timer;
  try {
    while (true) {
      timer = timeOut(stop, SILENCE);
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      clearTimeout(timer);
      if (done && isLeft(stop)) return;
      if (done) {
        lost();
        throw new Gone("The events broke off.");
      }
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        if (block.startsWith("event: over")) return;
        if (block.startsWith("data: ")) yield JSON.parse(block.slice(6));
      }
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
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
 * sent when it is back; an urgent one at once, and what was under way is no longer waited for. `work` does the request,
 * `show` gets its answer.
 */
export class Newest {
  constructor(work, show, fail) {
    Object.assign(this, { work, show, fail, waiting: null, busy: false, turn: 0 });
  }

  async ask(thing, urgent = false) {
    this.waiting = { thing };
    if (this.busy && !urgent) return;
    this.busy = true;
    const turn = ++this.turn;
    const counts = () => turn === this.turn;
    while (this.waiting && counts()) {
      const { thing } = this.waiting;
      this.waiting = null;
      try {
        const found = await this.work(thing);
        if (counts()) this.show(found, thing);
      } catch (error) {
        if (counts()) this.fail(error, thing);
      }
    }
    if (counts()) this.busy = false;
  }

  forget() {
    this.waiting = null;
  }
}
