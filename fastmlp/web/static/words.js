// Explanations: a short one behind every setting, and all of them as a glossary. Imports nothing.

const SETTINGS = {
  recipe: "The network and settings of a tutorial. Choose one, then change what you like.",
  hidden: "Layers between the pixels and the answer. More units can learn more, take longer, and overfit sooner.",
  activation: "The function that each hidden unit applies to its weighted sum. Without one, several layers can do no more than one. ReLU learns fastest; sigmoid and tanh saturate.",
  dropout: "The share of hidden units that is switched off at random in each step. It reduces overfitting; 0.2 is a good start.",
  loss: "The number that training makes small. Cross-entropy punishes confident wrong answers most, and learns faster than squared error here.",
  optimizer: "How a gradient becomes a step. SGD follows it; momentum keeps some of the last step; Adam gives each weight a step size of its own.",
  learning_rate: "The size of each step. Too small: nothing is learned. Too large: the loss jumps or grows. Change it by factors of 3 or 10.",
  l2: "A penalty on large weights, added to the loss. It reduces overfitting; 0.0001 is a good start.",
  batch_size: "How many rows are averaged for one step. Small batches take more steps in an epoch; large ones take steadier steps.",
  epochs: "How often all training rows are seen.",
  rows: "How many rows to train on. With few, a network learns them by heart and fails on new ones: it overfits.",
  seed: "The start of the random numbers: of initial weights, of the order of rows, of dropout. The same seed gives the same network.",
};

const TERMS = {
  ...{ "hidden layer": SETTINGS.hidden, activation: SETTINGS.activation, dropout: SETTINGS.dropout, loss: SETTINGS.loss },
  ...{ optimizer: SETTINGS.optimizer, "learning rate": SETTINGS.learning_rate, "L2 penalty": SETTINGS.l2 },
  ...{ batch: SETTINGS.batch_size, epoch: "One pass over all training rows.", seed: SETTINGS.seed },
  accuracy: "The share of right answers.",
  backpropagation: "The chain rule, from the last layer to the first: it finds the gradient of the loss by every weight at the cost of about two forward passes.",
  bias: "A number that is added to a neuron's weighted sum: how easily it becomes active.",
  "cross-entropy": "Minus the logarithm of the probability that the network gave the right digit. 0 is perfect; 2.30 is guessing among ten.",
  gradient: "How the loss changes with each weight. A step goes against it.",
  logits: "The sums of the last layer, before softmax makes them probabilities.",
  neuron: "Also called a unit: multiplies its inputs by its weights, adds them and its bias, and applies its activation.",
  overfitting: "Getting better on the training rows and not, or worse, on others. The remedy is more data, a smaller network, dropout, L2, or stopping earlier.",
  "saturated unit": "A sigmoid or tanh unit whose sum is far from 0. Its slope is almost 0, so it hardly learns.",
  softmax: "Turns the sums of the output layer into probabilities that add up to 1.",
  "test digits": "10,000 digits that no training has seen. Accuracy on them is what counts.",
  "validation rows": "Rows kept out of training to judge it while it goes on.",
  weight: "How strongly one input counts for a neuron: positive for, negative against.",
};

/** Put a question mark behind every setting of a form, and fill the glossary. */
export function startWords(form) {
  for (const [name, words] of Object.entries(SETTINGS)) explain(form.elements[name], name, words);
  const sorted = Object.entries(TERMS).sort(([a], [b]) => a.localeCompare(b, "en", { sensitivity: "base" }));
  document.getElementById("terms").append(...sorted.flatMap(([term, words]) => [element("dt", term), element("dd", words)]));
}

function explain(field, name, words) {
  const label = field.closest("label");
  const title = label.firstChild.textContent.trim();
  const place = document.createElement("div");
  place.className = label.classList.contains("whole") ? "field whole" : "field";
  label.classList.remove("whole");
  label.before(place);
  const text = element("p", words);
  Object.assign(text, { className: "small", id: `what-${name}`, hidden: true });
  const button = element("button", "?");
  Object.assign(button, { type: "button", className: "what" });
  button.setAttribute("aria-label", `What is ${title.toLowerCase()}?`);
  button.setAttribute("aria-controls", text.id);
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    text.hidden = !text.hidden;
    button.setAttribute("aria-expanded", String(!text.hidden));
  });
  place.append(label, button, text);
}

function element(kind, words) {
  const made = document.createElement(kind);
  made.textContent = words;
  return made;
}
