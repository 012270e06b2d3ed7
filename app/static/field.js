// A whole field: boxes, alternatives, cuts and what would be accepted.

import { serverTiming } from "./answer.js";
import { makeAsker } from "./asking.js";
import { asCurl, asPython, copy } from "./copies.js";
import { $ } from "./dom.js";
import { makeAccepting } from "./field/accepting.js";
import { makeCuts } from "./field/cuts.js";
import { makeOptions } from "./field/options.js";
import { makeFieldPictures } from "./field/pictures.js";
import { makeReading } from "./field/reading.js";
import { makeStage } from "./field/stage.js";
import { releaseTiles } from "./tiles.js";

const NEAR = "25%"; // of the window's height: nearer than that the part counts as seen

export function mount(section, page) {
  let current = null; // the reading that is shown
  let sent = null; // what it answers, as `copies` takes it
  let models = [];

  const say = (text) => ($("said").textContent = text);
  const stage = makeStage(section, { written, left: () => releaseTiles(section), say });
  const reading = makeReading(section, { say, point: stage.point });
  const cuts = makeCuts(section.querySelector(".cuts"));
  const accepting = makeAccepting(section.querySelector(".accepting"), { changed: judge, chosen: () => asker.again() });
  const options = makeOptions(page, () => {
    takeTables();
    pictures.modelChosen();
    asker.again();
  });
  const asker = makeAsker(page, ask, reading.fail);
  const pictures = makeFieldPictures(section, page, { options, query, show: showPicture, fail: reading.fail, changed: judge });

  /** The path of a request about fields; `said` are the options of one. */
  function query(path, said = {}) {
    const parts = new URLSearchParams({ ...said, target_error: accepting.target() });
    if (options.model()) parts.set("model", options.model());
    return `${path}?${parts}`;
  }

  async function ask({ blob: make, name, time, entry }) {
    const blob = make();
    const path = query("read", options.get());
    const response = await page.post(`${path}&debug=true`, blob);
    const found = await response.json();
    if (stage.empty()) return; // cleared meanwhile
    sent = { blob, path, name, unlocked: page.unlocked };
    current = found;
    if (entry) entry.reading = found;
    const server = serverTiming(response.headers.get("Server-Timing"));
    reading.show(found, accepting.judge(found), { total: performance.now() - time, server });
    stage.showBoxes(found);
    cuts.show(found, blob);
    showFound(true);
    judge();
  }

  function written(subject) {
    if (subject) return asker.offer(subject);
    asker.forget();
    reading.empty();
    current = sent = null;
    showFound(false);
  }

  function showPicture(entry) {
    const { blob, name, about } = entry;
    stage.show(blob, about);
    asker.offer({ blob: () => blob, name, time: performance.now(), entry });
  }

  function showFound(any) {
    section.querySelector(".findings").hidden = !any;
    for (const button of section.querySelectorAll(".copies button")) button.disabled = !any;
  }

  /** The error rate may have changed, or what stands beside the reading. */
  function judge() {
    pictures.judge(accepting.judge);
    if (current === null) return;
    reading.judge(accepting.judge(current));
    accepting.show(current, [...new Set([...pictures.readings(), current])]);
  }

  function takeTables() {
    const chosen = models.find(({ task, name, version, default: own }) => task === "field" && (options.model() ? `${name}:${version}` === options.model() : own));
    accepting.setTables(chosen?.thresholds ?? {});
  }

  page.addEventListener("models", ({ detail }) => {
    models = detail.models;
    const any = models.some(({ task }) => task === "field");
    section.hidden = !any;
    for (const link of document.querySelectorAll('a[href="#field"]')) link.hidden = !any;
    takeTables();
    judge();
  });
  section.querySelector(".as-curl").addEventListener("click", async () => copy(await asCurl(sent), say));
  section.querySelector(".as-python").addEventListener("click", async () => copy(await asPython(sent), say));
  new IntersectionObserver(([entry], observer) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    pictures.begin(stage.empty());
  }, { rootMargin: NEAR }).observe(section);
}
