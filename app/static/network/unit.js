// One unit in numbers: what it sees, what it makes of it.

import { h } from "../dom.js";
import { fieldsOf, squash, valueOf, windowOf } from "./fields.js";
import { meaningOf } from "./legend.js";
import { colourOf, mostOf, palette, readableOn, rowsOf, thumbnail } from "./maps.js";

/** `show(explanation, index, at)` fills it in, and gives it as a sentence. */
export function makeUnit() {
  const title = h("h4");
  const sees = h("p", { class: "sees" });
  const numbers = h("div", { class: "numbers" });
  const element = h("div", { class: "unit", role: "region", tabindex: 0, "aria-label": "The unit that is pointed at" }, title, sees, numbers);

  function show(explanation, index, at) {
    const layer = explanation.layers[index];
    const named = nameOf(layer, at);
    const value = number(valueOf(layer, at));
    title.replaceChildren(`${named} `, h("output", {}, value));
    sees.textContent = seesOf(explanation.layers, index, at);
    numbers.replaceChildren(...numbersOf(explanation, index, at));
    return `${named}: ${value}. ${sees.textContent}`;
  }

  return { element, show };
}

function nameOf({ name, shape }, { map, row, column }) {
  if (name === "OUTPUT") return `Output “${meaningOf(map)}”`;
  if (shape.length === 1) return `${name}, unit ${map + 1}`;
  const place = `row ${row + 1}, column ${column + 1}`;
  return shape[0] === 1 ? `${name === "INPUT" ? "Input" : name}, ${place}` : `${name}, map ${map + 1}, ${place}`;
}

function seesOf(layers, index, at) {
  if (index === 0) return "One pixel of what the network is given.";
  const { rows, columns } = fieldsOf(layers, index, at).get(0);
  const [high, wide] = [rows, columns].map(([first, last]) => last - first + 1);
  if (high >= layers[0].shape[1]) return "It depends on the whole picture.";
  return `It sees ${high} × ${wide} pixels of the input: rows ${rows[0] + 1} to ${rows[1] + 1}, columns ${columns[0] + 1} to ${columns[1] + 1}.`;
}

function numbersOf(explanation, index, at) {
  const { layers, network } = explanation;
  const [layer, source] = [layers[index], layers[index - 1]];
  switch (layer.name) {
    case "INPUT":
      return [formula(`${number((valueOf(layer, at) - network.input.offset) / network.input.scale)} of full ink, × ${number(network.input.scale)} ${signed(network.input.offset)} = ${number(valueOf(layer, at))}`)];
    case "C1":
      return firstConvolution(source, network, at);
    case "C3":
      return convolution(layer, source, network, at);
    case "S2":
    case "S4":
      return subsampling(layer, source, network, at);
    case "C5":
      return [formula(`${source.shape.reduce((a, b) => a * b)} inputs, all of S4, each with a weight of this unit’s own; then a bias, and ${activationOf(network)}.`)];
    case "F6":
      return [formula(`120 inputs, all of C5, each with a weight of its own; then a bias, and ${activationOf(network)}.`)];
    default:
      return output(source, layer, network, at);
  }
}

/** C1: patch x kernel, number by number. */
function firstConvolution(input, network, { map, row, column }) {
  const kernel = network.C1.kernels[map];
  const patch = windowOf(input.values[0], row, column, 5);
  const products = patch.map((values, r) => values.map((value, c) => value * kernel[r][c]));
  const sum = products.flat().reduce((a, b) => a + b, 0);
  return [
    h("div", { class: "product" }, table("Input", patch), h("span", { class: "sign" }, "×"), table(`Kernel ${map + 1}`, kernel)),
    h("div", { class: "product" }, h("span", { class: "sign" }, "="), table("Products", products)),
    ...ending("The 25 products add up to", sum, network.C1.biases[map], network),
  ];
}

/** C3: the share of each map of S2 that it is connected to. */
function convolution(layer, source, network, { map, row, column }) {
  const colours = palette();
  const kernels = network.C3.kernels[map];
  const [mostSeen, mostWeight] = [mostOf(source.values), mostOf(kernels)];
  let sum = 0;
  const shares = [...layer.connections[map]].sort((a, b) => a - b).map((from) => {
    const patch = windowOf(source.values[from], row, column, 5);
    const share = patch.flat().reduce((total, value, i) => total + value * kernels[from].flat()[i], 0);
    sum += share;
    return h("tr", {}, h("th", { scope: "row" }, `S2, map ${from + 1}`), h("td", {}, thumbnail(patch, mostSeen, colours)), h("td", { class: "sign" }, "×"), h("td", {}, thumbnail(kernels[from], mostWeight, colours)), h("td", { class: "sign" }, "="), h("td", { class: "figure" }, signed(share)));
  });
  const head = h("thead", { class: "unseen" }, h("tr", {}, ...["From", "Seen", "", "Kernel", "", "Share"].map((text) => h("th", { scope: "col" }, text))));
  return [h("table", { class: "shares" }, head, h("tbody", {}, ...shares)), ...ending("The shares add up to", sum, network.C3.biases[map], network)];
}

function subsampling(layer, source, network, { map, row, column }) {
  const { pool, coefficients, biases, squashed } = network[layer.name];
  const seen = windowOf(source.values[map], row * layer.stride, column * layer.stride, layer.kernel);
  const flat = seen.flat();
  const pooled = pool === "max" ? Math.max(...flat) : flat.reduce((a, b) => a + b, 0) / flat.length;
  const steps = [`${pool === "max" ? "The largest" : "Their mean"} is ${number(pooled)}.`];
  if (coefficients) {
    const after = pooled * coefficients[map] + biases[map];
    steps.push(` × the map’s coefficient ${number(coefficients[map])}, ${signed(biases[map])} bias = ${number(after)}.`);
    if (squashed) steps.push(` Then ${activationOf(network)} = ${number(squash(network.activation, after))}.`);
  }
  return [table(`${source.name}, map ${map + 1}`, seen), formula(steps.join(""))];
}

function output(source, layer, network, { map }) {
  const { form, weights, biases } = network.OUTPUT;
  const colours = palette();
  const picture = (title, values) => h("figure", {}, thumbnail(rowsOf(values, 7), mostOf(values), colours), h("figcaption", {}, title));
  if (form === "rbf") {
    const distance = -layer.values[map];
    return [h("div", { class: "sevens" }, picture("F6 now", source.values), picture(`the picture of ${meaningOf(map)}`, weights[map])), formula(`The squared distance of the two is ${number(distance)}. The digit that is nearest is read.`)];
  }
  const products = source.values.map((value, i) => value * weights[map][i]);
  const sum = products.reduce((a, b) => a + b, 0);
  return [
    h("div", { class: "sevens" }, picture("F6", source.values), picture("× weights", weights[map]), picture("= products", products)),
    formula(`The 84 products add up to ${number(sum)}; ${signed(biases[map])} bias = ${number(sum + biases[map])}.`),
  ];
}

function ending(words, sum, bias, network) {
  const total = sum + bias;
  return [formula(`${words} ${number(sum)}; ${signed(bias)} bias = ${number(total)}.`), formula(`${capital(activationOf(network))}: ${number(squash(network.activation, total))}.`)];
}

function activationOf({ activation: { function: name, amplitude, slope } }) {
  if (name === "relu") return "what is under 0 becomes 0";
  if (name === "sigmoid") return "squashed to 0 … 1 by the logistic function";
  return name === "tanh" ? "squashed to ±1 by tanh(x)" : `squashed to ±${number(amplitude)} by ${number(amplitude)} tanh(${number(slope)} x)`;
}

/** Numbers in a small square, coloured by what they are. */
function table(caption, rows) {
  const colours = palette();
  const most = mostOf([rows]);
  const cell = (value) => {
    const td = h("td", {}, shortest(value));
    const colour = colourOf(value, most, colours);
    td.style.backgroundColor = `rgb(${colour.join(" ")})`;
    td.style.color = readableOn(colour);
    return td;
  };
  return h("table", { class: "grid" }, h("caption", {}, caption), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))));
}

const formula = (text) => h("p", { class: "formula" }, text);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

function number(value) {
  const text = Math.abs(value).toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** For the cell of a grid: 0.83 is .83, −1.07 is −1.1. */
function shortest(value) {
  const [size, sign] = [Math.abs(value), value < 0 ? "−" : ""];
  if (size < 0.005) return "0";
  return sign + (size < 0.995 ? size.toFixed(2).slice(1) : size.toFixed(size < 9.95 ? 1 : 0));
}

function signed(value) {
  const text = number(value);
  return text.startsWith("−") ? `− ${text.slice(1)}` : `+ ${text}`;
}
