// The page: a drawing or fields, the answer, and every layer.

const part = (name) => document.getElementById(name);
const CELL = 14;
const PEN = 22;

function figure(value) {
  return String(Number(value.toPrecision(4))).replaceAll("-", "−");
}

function element(kind, name, words = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = words;
  return made;
}

/** Show what the network makes of some features; null shows nothing. */
function show(features) {
  const held = features && forward(features);
  part("answer").textContent = held ? answerOf(held.at(-1)) : "Draw a digit.";
  part("outputs").replaceChildren(...(held ? rowsOf(held.at(-1)) : []));
  part("layers").replaceChildren(...(held ? held.map(fieldOf) : []));
}

function answerOf(outputs) {
  const { labels, classes } = network;
  if (!classes) return outputs.length === 1 ? figure(outputs[0]) : `${outputs.length} numbers`;
  if (outputs.length === 1) return labels[Number(outputs[0] >= 0.5)];
  return labels[outputs.indexOf(outputs.reduce((a, b) => Math.max(a, b)))];
}

function rowsOf(outputs) {
  const isShare = ["softmax", "sigmoid"].includes(network.layers.at(-1).activation);
  const most = isShare ? 1 : Math.max(...outputs.map(Math.abs), 1e-12);
  const names = network.classes && outputs.length === 1 ? [network.labels[1]] : network.labels;
  return Array.from(outputs, (value, i) => {
    const row = element("li", "");
    const [track, bar] = [element("span", "track"), element("span", "bar")];
    bar.style.width = `${(100 * Math.max(0, value)) / most}%`;
    track.append(bar);
    row.append(element("span", "name", names[i]), track, element("span", "value", isShare ? `${(100 * value).toFixed(1)} %` : figure(value)));
    return row;
  });
}

function fieldOf(values, number) {
  const { activation, units } = network.layers[number];
  const isLast = number === network.layers.length - 1;
  const canvas = document.createElement("canvas");
  const columns = Math.min(units, units > 256 ? 32 : 16);
  [canvas.width, canvas.height] = [columns * CELL, Math.ceil(units / columns) * CELL];
  const name = `${isLast ? "Output" : `Hidden ${number + 1}`}: ${units} ${activation.replace("_", " ")}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`);
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const most = Math.max(...values.map(Math.abs), 1e-12);
  values.forEach((value, i) => {
    const rgb = style.getPropertyValue(value < 0 ? "--negative" : "--positive");
    context.fillStyle = `rgba(${rgb}, ${0.06 + (0.94 * Math.abs(value)) / most})`;
    context.fillRect((i % columns) * CELL + 1, Math.floor(i / columns) * CELL + 1, CELL - 2, CELL - 2);
  });
  const box = document.createElement("div");
  box.append(element("p", "small", name), canvas);
  return box;
}

/** Have the network look at 784 grey levels. */
function showPixels(digit) {
  const seen = part("seen").getContext("2d");
  const image = seen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    const grey = digit ? digit[i] : 0;
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  seen.putImageData(image, 0, 0);
  show(digit && Array.from(digit, (grey) => grey / network.divisor));
}

function startDrawing() {
  const pad = part("pad");
  const context = pad.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
  let last = null;
  const clear = () => {
    context.fillStyle = "#000";
    context.fillRect(0, 0, pad.width, pad.height);
    showPixels(null);
  };
  const place = ({ offsetX, offsetY }) => [(offsetX / pad.clientWidth) * pad.width, (offsetY / pad.clientHeight) * pad.height];
  const draw = (event) => {
    const next = place(event);
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...next);
    context.stroke();
    last = next;
    showPixels(asDigit(rowsOfPad()));
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    last = place(event);
    draw(event);
  });
  pad.addEventListener("pointermove", (event) => last && draw(event));
  for (const kind of ["pointerup", "pointercancel"]) pad.addEventListener(kind, () => (last = null));
  pad.addEventListener("keydown", ({ key }) => ["Delete", "Backspace"].includes(key) && clear());
  part("clear").addEventListener("click", clear);
  clear();
}

function rowsOfPad() {
  const { width, height } = part("pad");
  const { data } = part("pad").getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[4 * (y * width + x)] / 255));
}

function startFields() {
  const inputs = Array.from({ length: network.inputs }, (_, i) => {
    const label = element("label", "", `Input ${i + 1} `);
    const input = Object.assign(document.createElement("input"), { type: "number", step: "any", value: "0" });
    label.append(input);
    part("fields").append(label);
    return input;
  });
  const update = () => show(inputs.map(({ valueAsNumber }) => valueAsNumber || 0));
  part("fields").addEventListener("input", update);
  part("fields").addEventListener("submit", (event) => event.preventDefault());
  update();
}

part("digit").hidden = part("saw").hidden = !network.digits;
part("fields").hidden = network.digits;
if (network.digits) startDrawing();
else startFields();

// For other scripts and the browser's console: fastmlp.forward(features) gives every layer, fastmlp.answer(features) a label.
globalThis.fastmlp = { asDigit, forward, answer: (features) => answerOf(forward(features).at(-1)) };
