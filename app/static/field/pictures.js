// Pictures of fields: samples, and what the user opens, drops or pastes; each is read once, and shown when it is chosen.

import { Problem } from "../page.js";
import { addTile } from "../tiles.js";
import { verdict } from "../words.js";
import { FIELDS } from "./samples.js";

const MOST = 256; // pictures at once, as many as a batch takes

/**
 * Entries are {blob, name, about, options, tile, reading, problem}. `show(entry)` puts one on the stage; `changed()` is
 * called when some were read.
 */
export function makeFieldPictures(section, page, { options, query, show, fail, changed }) {
  const list = section.querySelector(".tiles");
  const entries = [];
  let begun = false;
  let model = options.model();

  function add(blob, { name, about, said }) {
    const entry = { blob, name, about, options: said, reading: null, problem: null };
    entry.tile = addTile(list, { picture: URL.createObjectURL(blob), about, choose: () => choose(entry) });
    entries.push(entry);
    return entry;
  }

  function choose(entry) {
    options.set(entry.options);
    entry.tile.press();
    if (entry.problem) fail(new Problem(entry.problem.code, `${entry.name}: ${entry.problem.message}`));
    else show(entry);
  }

  /** Have entries read, each with its own options. Throws Problem. */
  async function read(some) {
    const form = new FormData();
    for (const { blob, name } of some) form.append("files", blob, name);
    form.append("options", JSON.stringify(some.map((entry) => entry.options)));
    const { results } = await (await page.post(query("read/batch"), form)).json();
    results.forEach((result, i) => {
      some[i].problem = result.error ?? null;
      some[i].reading = result.error ? null : result;
    });
    changed();
  }

  /** Run `what`, and say what went wrong. */
  async function guarded(what) {
    try {
      await what();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      fail(problem);
    }
  }

  /** Fetch the samples and show the first, if `first`. */
  async function begin(first) {
    if (begun) return;
    begun = true;
    await guarded(async () => {
      const paths = FIELDS.map(({ file }) => `static/samples/fields/${file}`);
      const blobs = await Promise.all(paths.map(async (path) => (await page.get(path)).blob())).catch((problem) => {
        begun = false;
        throw problem;
      });
      const samples = FIELDS.map(({ file, about, options: said }, i) => add(blobs[i], { name: file, about, said }));
      if (first) choose(samples[0]);
      await read(samples);
    });
  }

  async function open(files) {
    const said = options.get();
    const own = files.slice(0, MOST).map((file) => {
      const name = file.name || "pasted.png";
      return add(file, { name, about: name, said });
    });
    await guarded(async () => {
      await read(own);
      choose(own.find(({ problem }) => !problem) ?? own[0]);
    });
  }

  section.querySelector(".files").addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = ""; // so that the same file can be chosen again
    if (files.length) open(files);
  });

  const stage = section.querySelector(".stage");
  section.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    stage.classList.add("target");
  });
  for (const end of ["dragleave", "drop", "dragend"]) {
    section.addEventListener(end, () => stage.classList.remove("target"));
  }
  section.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault(); // and the digit's part of the page leaves it alone
    open([...event.dataTransfer.files]);
  });
  const here = () => section.contains(document.activeElement) || section.matches(":hover");
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length || !here()) return;
    event.preventDefault();
    open([...event.clipboardData.files]);
  }, { capture: true });

  return {
    begin,
    readings: () => entries.map(({ reading }) => reading).filter(Boolean),
    modelChosen() {
      if (model === options.model() || entries.length === 0) return;
      model = options.model();
      guarded(() => read(entries.filter(({ problem }) => !problem)));
    },
    /** Write under each what it says, and whether that is accepted. */
    judge(judged) {
      for (const { tile, about, reading, problem } of entries) {
        if (problem) tile.label("!", "failed", `${about}: ${problem.message}`);
        else if (reading) {
          const { accepted, reasons } = judged(reading);
          const text = reading.text || "–";
          tile.label(text, accepted ? "accepted" : "rejected", `${about}: ${text}. ${verdict({ accepted, reasons })}.`);
        }
      }
    },
  };
}
