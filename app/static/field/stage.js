// What is read lies here: what was written on the pad, or a picture over it; with the characters' boxes.

import { svg } from "../dom.js";
import { Drawing, pictureOf } from "../drawing.js";
import { makePad } from "../pad.js";

const WIDTH = 3 * 1024; // units of the pad

/** `written(subject)` is called when the writing has changed, with null when there is none left; `left()` when a picture was. */
export function makeStage(section, { written, left, say }) {
  const part = (name) => section.querySelector(name);
  const [image, boxes, hint] = [".picture", ".boxes", ".hint"].map(part);
  const drawing = new Drawing(WIDTH);
  let shown = false; // whether a picture is

  const pad = makePad(part(".pad"), part(".pen"), drawing, { begun, drawn, ended: () => {}, said: say });

  function begun() {
    if (!shown) return;
    leave();
    if (!drawing.empty) drawing.replace([]);
  }

  function drawn(time) {
    showTools();
    hint.hidden = !drawing.empty;
    written(drawing.empty ? null : { blob: () => pictureOf(drawing), time });
    if (drawing.empty) boxes.replaceChildren();
  }

  function leave() {
    shown = false;
    image.hidden = true;
    boxes.replaceChildren();
    left();
  }

  function undo() {
    pad.lift();
    if (shown) leave();
    else drawing.undo();
    pad.change(performance.now());
  }

  part(".undo").addEventListener("click", undo);
  part(".clear").addEventListener("click", () => {
    pad.lift();
    if (shown) leave();
    if (!drawing.empty) drawing.replace([]);
    pad.change(performance.now());
    part(".pad").focus();
  });

  function showTools() {
    part(".undo").disabled = !shown && !drawing.undoable;
    part(".clear").disabled = !shown && drawing.empty;
  }

  /** Lay a picture over the pad. */
  function show(blob, about) {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
    image.alt = about;
    image.hidden = false;
    hint.hidden = true;
    boxes.replaceChildren();
    shown = true;
    showTools();
  }

  function showBoxes({ image: { width, height }, characters }) {
    boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    boxes.replaceChildren(...characters.map(({ box: [x, y, w, h] }) => svg("rect", { x, y, width: w, height: h })));
  }

  /** Light the box of one character, or of none. */
  function point(index) {
    [...boxes.children].forEach((box, i) => box.classList.toggle("pointed", i === index));
  }

  return { show, showBoxes, point, undo, empty: () => !shown && drawing.empty };
}
