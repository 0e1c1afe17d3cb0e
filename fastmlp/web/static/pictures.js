// Arrays of numbers as pictures, in the colours of the page. Imports nothing.
//
// A picture is painted as one colour of which the opacity is the number, so that what is zero shows the surface below,
// bright or dark.

let colours = {};
const painted = new Map(); // canvas to what paints it again, for when the colours change

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["positive", "negative", "ink", "s2", "s3"]) {
    colours[name] = parsed(style.getPropertyValue(`--${name}`).trim());
  }
}

/** A colour's three numbers; base.css has them between commas, or as #rrggbb. */
function parsed(text) {
  return text.startsWith("#") ? [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16)) : text.split(",").map(Number);
}

readColours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColours();
  for (const [canvas, paint] of painted) {
    if (canvas.isConnected) paint();
    else painted.delete(canvas);
  }
});

/** Have `paint` called now, and again when the colours change. */
export function keepPainted(canvas, paint) {
  painted.set(canvas, paint);
  paint();
}

/** A colour of the page as red, green and blue. */
export const numbersOf = (name) => colours[name];

/** A colour of the page as CSS: positive, negative, ink, or a series'. */
export function colour(name, opacity = 1) {
  return `rgba(${colours[name].join(",")},${opacity})`;
}

/** Grey pixels from 0 to 255, as ink. */
export function paintInk(canvas, pixels) {
  keepPainted(canvas, () => paint(canvas, pixels.length, (i) => [colours.ink, pixels[i]]));
}

/** Numbers from -127 to 127, in two colours. */
export function paintWeights(canvas, weights) {
  keepPainted(canvas, () =>
    paint(canvas, weights.length, (i) => [weights[i] < 0 ? colours.negative : colours.positive, 2 * Math.abs(weights[i])]),
  );
}

function paint(canvas, length, colourOf) {
  const side = Math.sqrt(length);
  const image = new ImageData(side, side);
  for (let i = 0; i < length; i++) {
    const [rgb, opacity] = colourOf(i);
    image.data.set(rgb, 4 * i);
    image.data[4 * i + 3] = opacity;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Return a canvas of 28 by 28 pixels that only pictures something that is told elsewhere. */
export function smallCanvas() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  canvas.className = "pixels";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}
