// Drawing with mouse, pen or finger. Imports pictures.js.

import { colour, keepPainted } from "./pictures.js";

const SIDE = 280; // of the drawing area, in the units of points and of the pen's width
const SENT = 140; // pixels of that side as it is sent: five times what the network sees, in the blink of an eye

/**
 * The drawing area. `onStroke(finished, event)` is called when the drawing has changed; `onStart` before a first stroke.
 *
 * Strokes are kept as points, and drawn twice: as they look on the page, and bright on black as they are sent, whatever
 * the colours of the page.
 */
export class Pen {
  constructor(canvas, widthInput, { onStroke, onStart }) {
    Object.assign(this, { canvas, widthInput, onStroke, onStart });
    this.strokes = [];
    this.picture = null;
    this.shown = canvas.getContext("2d");
    this.sent = new OffscreenCanvas(SENT, SENT).getContext("2d", { willReadFrequently: true });
    keepPainted(canvas, () => this.redraw());
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  down(event) {
    if (this.pointer !== undefined || event.button !== 0) return;
    event.preventDefault(); // neither select text nor drag
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    if (this.isEmpty) {
      this.picture = null;
      this.onStart();
      this.redraw();
    }
    this.strokes.push({ width: Number(this.widthInput.value), points: [] });
    this.add(event);
    this.onStroke(false, event);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    // What the browser put together into one event, point by point.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const part of events.length ? events : [event]) this.add(part);
    this.onStroke(false, event);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.onStroke(true, event);
  }

  add(event) {
    const box = this.canvas.getBoundingClientRect();
    const stroke = this.strokes.at(-1);
    stroke.points.push([((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE]);
    this.draw(stroke, Math.max(0, stroke.points.length - 3));
  }

  undo() {
    this.strokes.pop();
    this.redraw();
  }

  clear() {
    this.strokes = [];
    this.picture = null;
    this.redraw();
  }

  /** Show an image in the place of a drawing: a canvas or a bitmap, with its shape kept. */
  show(picture) {
    this.strokes = [];
    this.picture = picture;
    this.redraw();
  }

  /** The drawing as it is sent: a byte a pixel, ink bright. */
  pixels() {
    const { data } = this.sent.getImageData(0, 0, SENT, SENT);
    const pixels = new Uint8Array(SENT * SENT);
    for (let i = 0; i < pixels.length; i++) pixels[i] = data[4 * i];
    return { pixels, side: SENT };
  }

  redraw() {
    const side = this.canvas.width;
    this.shown.clearRect(0, 0, side, side);
    this.sent.fillStyle = "black";
    this.sent.fillRect(0, 0, SENT, SENT);
    if (this.picture) {
      const { width, height } = this.picture;
      const scale = side / Math.max(width, height);
      const [left, top] = [(side - width * scale) / 2, (side - height * scale) / 2];
      this.shown.imageSmoothingEnabled = scale < 8;
      this.shown.drawImage(this.picture, left, top, width * scale, height * scale);
    }
    for (const stroke of this.strokes) this.draw(stroke, 0);
  }

  draw(stroke, from) {
    for (const [context, side, ink] of [
      [this.shown, this.canvas.width, colour("ink")],
      [this.sent, SENT, "white"],
    ]) {
      context.save();
      context.scale(side / SIDE, side / SIDE);
      context.lineWidth = stroke.width;
      context.lineCap = context.lineJoin = "round";
      context.strokeStyle = ink;
      context.beginPath();
      drawSmoothly(context, stroke.points, from);
      context.stroke();
      context.restore();
    }
  }
}

/** A path from middle to middle of the points, bent at them; a single one is a dot. */
function drawSmoothly(context, points, from) {
  const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  context.moveTo(...points[from]);
  if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]);
  if (from > 0) context.moveTo(...middle(points[from], points[from + 1]));
  for (let i = from + 1; i < points.length - 1; i++) {
    context.quadraticCurveTo(...points[i], ...middle(points[i], points[i + 1]));
  }
  if (points.length > 1) context.lineTo(...points.at(-1));
}
