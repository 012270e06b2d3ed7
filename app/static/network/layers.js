// The layers in order, each with its maps: a unit that is pointed at lights what it depends on in all before it.

import { h } from "../dom.js";
import { fieldsOf, valueOf } from "./fields.js";
import { legendOf, meaningOf, sizeOf } from "./legend.js";
import { mostOf, paint, palette, rowsOf } from "./maps.js";

const ACROSS = { C5: 20, F6: 7 }; // units in a row of a layer without maps; OUTPUT has all in one
const KEYS = {
  ArrowLeft: [0, 0, -1],
  ArrowRight: [0, 0, 1],
  ArrowUp: [0, -1, 0],
  ArrowDown: [0, 1, 0],
  PageUp: [-1, 0, 0],
  PageDown: [1, 0, 0],
};

/** `pointed(index, at, byKey)` is called for a unit that is to be shown: `light` shows where it looks. */
export function makeLayers({ pointed }) {
  const element = h("div", { class: "layers" });
  let rows = []; // of each layer: {maps, box, grids, at}
  let layers = [];
  let form = ""; // what the rows were built for

  function show(explanation) {
    ({ layers } = explanation);
    const now = JSON.stringify([layers.map(({ shape }) => shape), explanation.network.OUTPUT.form]);
    if (now !== form) build(explanation);
    form = now;
    repaint(explanation.network.OUTPUT.form === "rbf");
  }

  function build(explanation) {
    const legend = legendOf(explanation);
    rows = layers.map((layer, index) => row(layer, index, legend[layer.name]));
    element.replaceChildren(...rows.map(({ box }) => box));
  }

  function row(layer, index, { title, what }) {
    const flat = layer.shape.length === 1;
    const [units, height, width] = layer.shape;
    const across = flat ? (ACROSS[layer.name] ?? units) : width;
    const down = flat ? Math.ceil(units / across) : height;
    const grids = Array.from({ length: flat ? 1 : units }, () => {
      const canvas = h("canvas", { "aria-hidden": true, width: across, height: down });
      const lit = h("span", { class: "lit", hidden: true });
      return { canvas, lit, box: h("div", { class: "map" }, canvas, lit) };
    });
    const maps = h(
      "div",
      {
        class: "maps",
        tabindex: 0,
        role: "application",
        "aria-label": `${title}: ${sizeOf(layer)}. Arrow keys go from unit to unit${flat || units === 1 ? "" : ", Page Up and Page Down from map to map"}.`,
      },
      ...grids.map((grid) => grid.box),
    );
    const one = { flat, across, down, maps, grids, at: null };
    listen(one, index);
    if (layer.name === "OUTPUT") maps.append((one.labels = h("div", { class: "labels", "aria-hidden": true }, ...layer.values.map((_, i) => h("span", {}, i < 10 ? meaningOf(i) : "none")))));
    const legend = h("div", { class: "legend" }, h("h4", {}, title, " ", h("span", {}, sizeOf(layer))), h("p", {}, what));
    one.box = h("div", { class: "layer", "data-name": layer.name }, legend, maps);
    return one;
  }

  function listen(one, index) {
    const aim = (event) => {
      const place = one.grids.findIndex(({ canvas }) => canvas.contains(event.target));
      if (place < 0) return;
      const { left, top, width, height } = one.grids[place].canvas.getBoundingClientRect();
      const inside = (share, of) => Math.min(of - 1, Math.max(0, Math.floor(share * of)));
      const column = inside((event.clientX - left) / width, one.across);
      const cell = inside((event.clientY - top) / height, one.down);
      point(index, one.flat ? unitAt(one, cell, column) : { map: place, row: cell, column }, false);
    };
    one.maps.addEventListener("pointermove", (event) => event.pointerType !== "touch" && aim(event));
    one.maps.addEventListener("pointerdown", aim);
    one.maps.addEventListener("focus", () => one.maps.matches(":focus-visible") && point(index, one.at ?? strongest(index), true));
    one.maps.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault(); // of the page's scrolling
      point(index, moved(one, layers[index], one.at ?? strongest(index), step), true);
    });
  }

  function point(index, at, byKey) {
    const one = rows[index];
    if (!byKey && one.at && index === lit && at.map === one.at.map && at.row === one.at.row && at.column === one.at.column) return;
    one.at = at;
    pointed(index, at, byKey);
  }

  /** Where the layer's largest value is. */
  function strongest(index) {
    const { shape, values } = layers[index];
    let best = { map: 0, row: 0, column: 0 };
    values.forEach((map, i) => {
      if (shape.length === 1) best = map > values[best.map] ? { map: i, row: 0, column: 0 } : best;
      else map.forEach((row, r) => row.forEach((value, c) => (best = value > valueOf(layers[index], best) ? { map: i, row: r, column: c } : best)));
    });
    return best;
  }

  let lit = -1; // the layer of the unit that is shown

  /** Show what a unit depends on. */
  function light(index, at) {
    lit = index;
    const fields = fieldsOf(layers, index, at);
    rows.forEach((one, i) => {
      const field = fields.get(i);
      one.box.classList.toggle("own", i === index);
      one.grids.forEach(({ lit: frame, box }, map) => {
        const seen = field && (one.flat || field.maps === null || field.maps.includes(map));
        box.classList.toggle("out", i < index && !seen);
        frame.hidden = !seen;
        if (seen) frameIn(one, frame, one.flat && field.maps ? cellOf(one, field.maps[0]) : one.flat ? null : field);
      });
    });
  }

  function repaint(nearness) {
    const colours = palette();
    layers.forEach((layer, i) => {
      const { flat, across, grids } = rows[i];
      const shown = nearness && layer.name === "OUTPUT" ? nearnessOf(layer.values) : layer.values;
      const most = mostOf(shown);
      if (flat) paint(grids[0].canvas, rowsOf(shown, across), most, colours);
      else shown.forEach((map, m) => paint(grids[m].canvas, map, most, colours));
    });
    const best = strongest(layers.length - 1).map;
    [...rows.at(-1).labels.children].forEach((label, i) => label.classList.toggle("best", i === best));
  }

  return { element, show, light, strongest };
}

/** Distances, as minus their squares, to how near they are: the nearest is darkest. */
function nearnessOf(values) {
  const least = Math.min(...values);
  return values.map((value) => value - least);
}

/** The unit in a cell of a layer without maps. */
function unitAt({ across }, row, column) {
  return { map: row * across + column, row: 0, column: 0 };
}

function cellOf({ across }, unit) {
  const [row, column] = [Math.floor(unit / across), unit % across];
  return { rows: [row, row], columns: [column, column] };
}

function moved(one, layer, at, [map, row, column]) {
  const [maps, height, width] = layer.shape;
  const within = (value, of) => Math.min(of - 1, Math.max(0, value));
  if (one.flat) return { map: within(at.map + map * one.across + row * one.across + column, maps), row: 0, column: 0 };
  return { map: within(at.map + map, maps), row: within(at.row + row, height), column: within(at.column + column, width) };
}

/** Lay a frame round a field's cells; null for all of them. */
function frameIn({ across, down }, frame, field) {
  const { rows, columns } = field ?? { rows: [0, down - 1], columns: [0, across - 1] };
  Object.assign(frame.style, {
    left: `${(100 * columns[0]) / across}%`,
    top: `${(100 * rows[0]) / down}%`,
    width: `${(100 * (columns[1] - columns[0] + 1)) / across}%`,
    height: `${(100 * (rows[1] - rows[0] + 1)) / down}%`,
  });
}
