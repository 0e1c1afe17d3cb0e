// A drawing as MNIST's digits are: cropped, scaled to a box of 20 by 20 pixels, its centre of mass in the middle of 28
// by 28. The same as fastmlp.images.as_digit of bright, wide strokes on black.

const [SIDE, BOX, FAINT] = [28, 20, 0.08];

/** Weights by which n pixels in a row become another number of them: triangles, as wide as the coarser grid. */
function resampling(n, wanted) {
  const stretch = n / wanted;
  return Array.from({ length: wanted }, (_, i) => {
    const middle = (i + 0.5) * stretch - 0.5;
    const weights = Array.from({ length: n }, (_, j) => Math.max(0, 1 - Math.abs(j - middle) / Math.max(stretch, 1)));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / sum);
  });
}

/** The first and the last row or column with ink. */
function extent(amounts) {
  const inked = amounts.map((most, i) => [most, i]).filter(([most]) => most > FAINT);
  return inked.length ? [inked[0][1], inked.at(-1)[1]] : null;
}

/** Where a box has to start so that its centre of mass lies in the middle, as nearly as whole pixels allow. */
function start(amounts) {
  const sum = amounts.reduce((a, b) => a + b);
  const centre = amounts.reduce((all, amount, i) => all + i * amount, 0) / sum;
  return Math.min(SIDE - amounts.length, Math.max(0, Math.ceil(SIDE / 2 - 0.5 - centre)));
}

/** Return a drawing, rows of brightness from 0 to 1, as 784 grey levels from 0 to 255; null where there is no ink. */
function asDigit(rows) {
  const vertical = extent(rows.map((row) => Math.max(...row)));
  const horizontal = vertical && extent(rows[0].map((_, x) => Math.max(...rows.map((row) => row[x]))));
  if (!horizontal) return null;
  const cropped = rows.slice(vertical[0], vertical[1] + 1).map((row) => row.slice(horizontal[0], horizontal[1] + 1));
  const [height, width] = [cropped.length, cropped[0].length];
  const scale = BOX / Math.max(height, width);
  const down = resampling(height, Math.max(1, even(height * scale)));
  const across = resampling(width, Math.max(1, even(width * scale)));
  const narrow = cropped.map((row) => across.map((weights) => dot(weights, row)));
  const box = down.map((weights) => narrow[0].map((_, x) => dot(weights, narrow.map((row) => row[x]))));
  const most = Math.max(...box.flat());
  const top = start(box.map((row) => row.reduce((a, b) => a + b)));
  const left = start(box[0].map((_, x) => box.reduce((sum, row) => sum + row[x], 0)));
  const digit = new Uint8Array(SIDE * SIDE);
  box.forEach((row, y) => row.forEach((value, x) => (digit[(top + y) * SIDE + left + x] = even((value / most) * 255))));
  return digit;
}

const dot = (weights, values) => weights.reduce((sum, weight, i) => (weight ? sum + weight * values[i] : sum), 0);

/** Round halves to even, as NumPy does. */
function even(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
