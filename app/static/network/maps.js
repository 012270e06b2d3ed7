// Maps of numbers as pictures: one canvas pixel a number, in the page's own colours.

import { h } from "../dom.js";

/** The colours in force, [red, green, blue] each. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => {
    const hex = style.getPropertyValue(name).trim().slice(1);
    return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  return { zero: colour("--surface"), above: colour("--ink"), below: colour("--second"), weight: colour("--accent") };
}

/**
 * Paint rows of numbers; `most` is the size of a number that has the full colour. Above 0 they go towards the ink, below
 * towards the second colour.
 */
export function paint(canvas, rows, most, colours) {
  const [height, width] = [rows.length, rows[0].length];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  let i = 0;
  for (const row of rows) {
    for (const value of row) {
      const [red, green, blue] = colourOf(value, most, colours);
      image.data.set([red, green, blue, 255], i);
      i += 4;
    }
  }
  context.putImageData(image, 0, 0);
}

export function colourOf(value, most, { zero, above, below }) {
  const towards = value < 0 ? below : above;
  const share = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  return zero.map((from, i) => Math.round(from + (towards[i] - from) * share));
}

/** Black or white: of the two, one has a contrast of 4.5:1 on any colour (WCAG 2). */
export function readableOn(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "black" : "white";
}

/** The largest size of the numbers in arrays of arrays; a stray outlier does not darken all the others. */
export function mostOf(values) {
  const sizes = values.flat(2).map(Math.abs).sort((a, b) => a - b);
  return Math.max(sizes[Math.floor(sizes.length * 0.998)] || sizes.at(-1), 1e-6);
}

/** A small canvas of rows, for beside the text. */
export function thumbnail(rows, most, colours, properties = {}) {
  const canvas = h("canvas", { "aria-hidden": true, ...properties });
  paint(canvas, rows, most, colours);
  return canvas;
}

/** A flat list as rows of so many numbers; the last row is filled up with zeros. */
export function rowsOf(values, width) {
  const rows = [];
  for (let i = 0; i < values.length; i += width) rows.push(values.slice(i, i + width));
  const last = rows.at(-1);
  while (last.length < width) last.push(0);
  return rows;
}
