// The network: its numbers, and a forward pass. The formulas are those of fastmlp's activations.

const network = JSON.parse(document.getElementById("network").textContent);

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Numbers of 16 bits: a sign, five bits of exponent and ten of mantissa. */
function half(bits) {
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : 2 ** -14 * (mantissa / 1024);
  return bits & 0x8000 ? -size : size;
}

function numbersOf({ kind, data }) {
  const { buffer } = bytesOf(data);
  if (kind === "float16") return Float64Array.from(new Uint16Array(buffer), half);
  return new { float32: Float32Array, float64: Float64Array }[kind](buffer);
}

for (const layer of network.layers) {
  layer.W = numbersOf(layer.W);
  layer.b = layer.b && numbersOf(layer.b);
}
for (const name of ["scale", "shift", "centre"]) network[name] = numbersOf(network[name]);

/** erf by its series of positive terms (Abramowitz and Stegun, 7.1.6). */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

const ACTIVATIONS = {
  identity: (z) => z,
  sigmoid,
  tanh: Math.tanh,
  relu: (z) => Math.max(0, z),
  leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  gelu: (z) => 0.5 * z * (1 + erf(z / Math.SQRT2)),
  silu: (z) => z * sigmoid(z),
  exponential: (z) => Math.exp(Math.min(80, z)),
};

function softmax(z) {
  const largest = z.reduce((a, b) => Math.max(a, b));
  const shares = z.map((value) => Math.exp(value - largest));
  const sum = shares.reduce((a, b) => a + b);
  return shares.map((value) => value / sum);
}

/** Return what every layer holds for one row of features: its activations, the outputs last. */
function forward(features) {
  const at = (vector, i) => vector[vector.length > 1 ? i : 0];
  let a = Float64Array.from(features, (x, i) => (x - at(network.centre, i)) * at(network.scale, i) + at(network.shift, i));
  const held = [];
  for (const { units, activation, W, b } of network.layers) {
    const z = b ? Float64Array.from(b) : new Float64Array(units);
    a.forEach((value, i) => {
      if (value) for (let j = 0; j < units; j++) z[j] += value * W[i * units + j];
    });
    a = activation === "softmax" ? softmax(z) : z.map(ACTIVATIONS[activation]);
    held.push(a);
  }
  return held;
}
