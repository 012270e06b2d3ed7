// Pictures that are not drawn: samples, and what the user opens, drops or pastes.

import { $ } from "./dom.js";
import { Problem } from "./page.js";
import { SAMPLES } from "./samples.js";
import { addTile, releaseTiles } from "./tiles.js";
import { verdict } from "./words.js";

const MOST = 256; // pictures at once, as many as a batch takes

/** `show(blob, {name, about, sample})` puts a picture on the stage and asks about it; `fail(problem)` shows a problem. */
export function makePictures(page, { show, fail, say }) {
  const samples = $("samples").querySelector("ul");
  const own = $("own").querySelector("ul");
  const chosen = new Map();

  for (const { file, about } of SAMPLES) {
    const path = `static/samples/${file}`;
    const choose = async () => {
      try {
        const blob = await (await page.get(path)).blob();
        tile.press();
        show(blob, { name: file, about, sample: file });
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        fail(problem);
      }
    };
    const tile = addTile(samples, { picture: path, about, choose });
    chosen.set(file, choose);
  }

  /** Have files read together, each shown with what it says, and put the first that is a picture on the stage. */
  async function open(files) {
    const pictures = files.slice(0, MOST);
    if (files.length > MOST) say(`Only the first ${MOST} pictures are read.`);
    const form = new FormData();
    for (const file of pictures) form.append("files", file, file.name || "pasted.png");
    let results;
    try {
      ({ results } = await (await page.post(page.asking("predict/batch"), form)).json());
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return fail(problem);
    }
    $("own").hidden = false;
    const tiles = results.map((result, i) => addOwn(pictures[i], result));
    const first = results.findIndex((result) => !result.error);
    if (first >= 0) tiles[first].choose();
    else fail(problemIn(results[0]));
    if (results.length > 1) say(`${results.length} pictures were read.`);
  }

  function addOwn(file, result) {
    const name = file.name || "the pasted picture";
    const url = URL.createObjectURL(file);
    const choose = () => {
      tile.press();
      if (result.error) fail(problemIn(result, name));
      else show(file, { name: file.name, about: name });
    };
    const tile = addTile(own, { picture: url, about: name, choose });
    if (result.error) tile.label("!", "failed", `${name}: ${result.error.message}`);
    else tile.label(result.digit, result.accepted ? "accepted" : "rejected", `${name}: ${result.digit}. ${verdict(result)}.`);
    return { choose };
  }

  $("files").addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = ""; // so that the same file can be chosen again
    if (files.length) open(files);
  });

  // A part of the page that takes a drop or a paste for itself calls preventDefault before it comes here.
  document.addEventListener("dragover", (event) => {
    if (event.defaultPrevented || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    $("stage").classList.add("target");
  });
  for (const end of ["dragleave", "drop", "dragend"]) {
    document.addEventListener(end, () => $("stage").classList.remove("target"));
  }
  document.addEventListener("drop", (event) => {
    if (event.defaultPrevented || !event.dataTransfer.files.length) return;
    event.preventDefault();
    open([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || !event.clipboardData.files.length) return;
    event.preventDefault();
    open([...event.clipboardData.files]);
  });

  return { chooseSample: (file) => chosen.get(file)?.(), release: () => releaseTiles($("try")) };
}

function problemIn({ error }, name) {
  return new Problem(error.code, name ? `${name}: ${error.message}` : error.message);
}
