// The page: what is drawn or chosen is asked about, and answered beside it.

import { makeAnswer, serverTiming } from "./answer.js";
import { makeAsker } from "./asking.js";
import { asCurl, asPython, copy } from "./copies.js";
import { $ } from "./dom.js";
import { Drawing, fromText, pictureOf, toText } from "./drawing.js";
import { mount as mountField } from "./field.js";
import { makeModel } from "./model.js";
import { mount as mountNetwork } from "./network.js";
import { makeNotices } from "./notices.js";
import { makePad } from "./pad.js";
import { Page } from "./page.js";
import { makePictures } from "./pictures.js";

const page = new Page();
const drawing = new Drawing();
let shown = null; // the picture on the stage, {sample}: the name of a sample; null when the drawing is
let sent = null; // what was answered last, as `copies` takes it

const say = (text) => ($("said").textContent = text);
const answer = makeAnswer(say);
const asker = makeAsker(page, ask, answer.fail);

/** A subject: `blob()` makes its picture when it is its turn, `time` is that of the stroke. */
async function ask({ blob: make, name, time }) {
  const blob = make();
  const path = page.asking("predict");
  const response = await page.post(path, blob);
  const prediction = await response.json();
  if (!shown && drawing.empty) return; // cleared meanwhile
  sent = { blob, path, name, unlocked: page.unlocked };
  for (const id of ["copy-curl", "copy-python"]) $(id).disabled = false;
  const total = performance.now() - time;
  answer.show(prediction, { total, server: serverTiming(response.headers.get("Server-Timing")) });
  page.answered(blob, prediction);
}

// Drawing

const pad = makePad($("pad"), $("pen"), drawing, {
  begun,
  drawn,
  ended: writeLink,
  said: say,
});

function begun() {
  if (!shown) return;
  leavePicture();
  if (!drawing.empty) drawing.replace([]);
}

function drawn(time) {
  $("hint").hidden = !drawing.empty;
  showTools();
  if (drawing.empty) forget();
  else asker.offer({ blob: () => pictureOf(drawing), time });
}

function forget() {
  asker.forget();
  answer.empty();
  sent = null;
  for (const id of ["copy-curl", "copy-python"]) $(id).disabled = true;
}

function showTools() {
  $("undo").disabled = !shown && !drawing.undoable;
  $("clear").disabled = !shown && drawing.empty;
  $("copy-link").disabled = shown ? !shown.sample : drawing.empty;
}

function redraw() {
  pad.change(performance.now());
  writeLink();
}

function undo() {
  pad.lift();
  if (shown) leavePicture();
  else drawing.undo();
  redraw();
}

$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", () => {
  pad.lift();
  leavePicture();
  if (!drawing.empty) drawing.replace([]);
  redraw();
  $("pad").focus();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || typing || $("undo").disabled) return;
  event.preventDefault();
  undo();
});

// Pictures

const pictures = makePictures(page, { show: showPicture, fail: answer.fail, say });

function showPicture(blob, { name, about, sample }) {
  URL.revokeObjectURL($("picture").src);
  $("picture").src = URL.createObjectURL(blob);
  $("picture").alt = about;
  $("picture").onload = () => $("picture").classList.toggle("coarse", $("picture").naturalWidth < 64);
  $("picture").hidden = false;
  $("hint").hidden = true;
  shown = { sample };
  showTools();
  writeLink();
  asker.offer({ blob: () => blob, name, time: performance.now() });
}

function leavePicture() {
  if (!shown) return;
  shown = null;
  $("picture").hidden = true;
  pictures.release();
}

// The link that carries what is on the stage

function writeLink() {
  const parts = new URLSearchParams();
  if (shown?.sample) parts.set("sample", shown.sample);
  else if (!shown && !drawing.empty) parts.set("drawing", toText(drawing.strokes));
  if (page.model()) parts.set("model", page.model());
  history.replaceState(null, "", parts.size ? `#${parts}` : location.pathname + location.search);
  showTools();
}

function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has("model")) page.chooseModel(parts.get("model"));
  if (parts.has("sample")) pictures.chooseSample(parts.get("sample"));
  if (!parts.has("drawing")) return;
  leavePicture();
  drawing.replace(fromText(parts.get("drawing")));
  pad.change(performance.now());
}
addEventListener("hashchange", readLink);

$("copy-link").addEventListener("click", () => copy(location.href, say));
$("copy-curl").addEventListener("click", async () => copy(await asCurl(sent), say));
$("copy-python").addEventListener("click", async () => copy(await asPython(sent), say));

// The rest

makeNotices(page);
page.addEventListener("model", () => {
  writeLink();
  asker.again();
});
$("target").addEventListener("change", (event) => {
  page.chooseTarget(event.target.value);
  asker.again();
});
mountNetwork($("network"), page);
mountField($("field"), page);
readLink();
makeModel(page);
