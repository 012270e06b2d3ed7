// The way of a picture into the network's form, in four pictures, and what it is good for.

import { h } from "../dom.js";
import { percent } from "../words.js";

const STEPS = [
  ["drawn", "As drawn", "Any size, anywhere, dark on light or light on dark."],
  ["ink", "Ink", "The paper is taken away; the digit is found, specks and frames are not."],
  ["box", "Box", "Cut out and brought to 20 pixels, with strokes of a usual width."],
  ["centred", "Centred", "Its centre of mass in the middle of 32 × 32."],
];

/** `show(explanation)` fills it in. */
export function makeSteps() {
  const parts = STEPS.map(([name, title, what]) => {
    const image = h("img", { alt: "" });
    const over = h("span", { class: "over", hidden: true });
    const figure = h("figure", {}, h("div", { class: `plate ${name}` }, h("div", { class: "fit" }, image, over)), h("figcaption", {}, h("strong", {}, title), " ", what));
    return { name, image, over, item: h("li", {}, figure) };
  });
  const steps = h("ol", { class: "steps" }, ...parts.map(({ item }) => item));
  const [without, withIt] = ["Without it", "With it"].map(makeReading);
  const conclusion = h("p", { class: "conclusion" });
  const why = h(
    "div",
    { class: "why" },
    h("div", {}, h("h4", {}, "Why centring matters"), conclusion),
    h("div", { class: "pair" }, without.figure, withIt.figure),
  );
  const element = h("div", {}, steps, why);

  function show({ steps: way, uncentred, digit, confidence, reasons }) {
    const blank = way.box === null;
    for (const { name, image, over } of parts) {
      const picture = way[name];
      image.hidden = !picture;
      if (!picture) continue;
      image.src = picture.url;
      image.alt = altOf(name, picture);
      image.width = picture.width;
      image.height = picture.height;
      image.parentElement.dataset.shape = picture.width >= picture.height ? "wide" : "high";
      if (name === "ink") place(over, picture.found, 1, 1);
      if (name === "centred") place(over, way.box && [picture.left, picture.top, way.box.width, way.box.height], 32, 32);
    }
    without.show(uncentred.picture, uncentred);
    withIt.show(way.centred, { digit, confidence });
    conclusion.textContent = blank ? "There is no ink to look at." : conclude(uncentred, { digit, confidence, reasons });
  }

  return { element, show };
}

function makeReading(title) {
  const image = h("img", { alt: "", width: 32, height: 32 });
  const digit = h("b");
  const sure = h("span");
  const figure = h("figure", {}, image, h("figcaption", {}, h("strong", {}, title), h("span", {}, "it reads ", digit), sure));
  return {
    figure,
    show(picture, reading) {
      image.src = picture.url;
      digit.textContent = reading.digit;
      sure.textContent = `confidence ${percent(reading.confidence)}`;
    },
  };
}

/** Lay a frame over a picture that is `width` by `height`. */
function place(over, box, width, height) {
  over.hidden = !box;
  if (!box) return;
  const [x, y, w, h] = box;
  Object.assign(over.style, {
    left: `${(100 * x) / width}%`,
    top: `${(100 * y) / height}%`,
    width: `${(100 * w) / width}%`,
    height: `${(100 * h) / height}%`,
  });
}

function altOf(name, { width, height, left, top }) {
  if (name === "drawn") return "The picture as it was sent, in gray";
  if (name === "ink") return "Its ink, white on black, with a frame round the digit";
  if (name === "box") return `The digit alone, ${width} by ${height} pixels`;
  return `The digit ${left} columns and ${top} rows into a field of 32 by 32 pixels`;
}

function conclude(uncentred, centred) {
  const how = "The same network, shown the whole picture merely shrunk to 32 × 32";
  const [worse, better] = [percent(uncentred.confidence), percent(centred.confidence)];
  if (uncentred.digit !== centred.digit)
    return `${how}, takes it for a ${uncentred.digit}. Cut out and centred, it is a ${centred.digit}: its strokes now lie where those of the digits lay that the network has learnt from.`;
  if (uncentred.confidence < centred.confidence - 0.02)
    return `${how}, reads the same digit but is less sure: ${worse} in place of ${better}. Draw it small and in a corner to see it go wrong.`;
  return `${how}, reads this one as well, for it lies much where the learnt digits lay. Draw one small and in a corner to see it go wrong.`;
}
