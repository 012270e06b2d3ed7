// What the network sees: the steps of the normalisation and the layers of the latest picture that was answered.

import { makeAsker } from "./asking.js";
import { h } from "./dom.js";
import { makeLayers } from "./network/layers.js";
import { makeSteps } from "./network/steps.js";
import { makeUnit } from "./network/unit.js";

const SAMPLE = "static/samples/corner-9.png"; // what is shown before anything was drawn
const NEAR = "25%"; // of the window's height: nearer than that the panel counts as seen
const FIRST = 1; // the layer of the unit that is shown at first, C1

export function mount(section, page) {
  const title = h("h2", { id: "network-title" }, "What the network sees");
  const whose = h("p", { class: "whose", role: "status" });
  const problem = h("p", { class: "problem", hidden: true });
  const steps = makeSteps();
  const unit = makeUnit();
  const layers = makeLayers({ pointed: (index, at, byKey) => lookAt({ index, at }, byKey) });
  const said = h("p", { class: "unseen", role: "status" });
  const body = h(
    "div",
    { hidden: true },
    h("h3", {}, "First it is brought into one form"),
    steps.element,
    h("h3", {}, "Then seven layers look at it, one after the other"),
    h("p", { class: "how" }, "Each square is one unit: the stronger it is, the fuller its colour; ", h("span", { class: "below" }, "blue"), " is below zero. Point at a unit, or go to it with the arrow keys: what it sees lights up in every layer before it."),
    h("div", { class: "workbench" }, layers.element, unit.element),
    said,
  );
  section.removeAttribute("aria-label");
  section.setAttribute("aria-labelledby", title.id);
  section.append(title, h("p", {}, "LeNet-5 turns 1,024 pixels into ten numbers. This is every number on the way."), whose, problem, body);
  for (const link of document.querySelectorAll('a[href="#network"]')) link.hidden = false;

  let latest = null; // {blob, own}: what was answered last
  let asked = null; // of these, what is shown or on its way
  let shown = null; // the explanation
  let pointed = null; // {index, at}
  let near = false;

  const asker = makeAsker(page, ask, (trouble) => {
    asked = null;
    problem.textContent = `The layers cannot be shown: ${trouble.message}`;
    problem.hidden = false;
  });

  function offer() {
    if (!near || latest === asked || latest === null) return;
    asked = latest;
    asker.offer(latest);
  }

  async function ask(subject) {
    const response = await page.post(page.asking("explain"), subject.blob);
    const explanation = await response.json();
    if (asked === subject) show(explanation, subject.own);
  }

  function show(explanation, own) {
    shown = explanation;
    problem.hidden = true;
    body.hidden = false;
    const { name, version } = explanation.model;
    whose.textContent = own ? `Your picture, as ${name}:${version} sees it.` : `A sample, a 9 in a corner of its sheet, as ${name}:${version} sees it: draw one of your own above.`;
    steps.show(explanation);
    layers.show(explanation);
    if (pointed && pointed.at.map >= explanation.layers[pointed.index].shape[0]) pointed = null; // another model had more
    lookAt(pointed ?? { index: FIRST, at: layers.strongest(FIRST) }, false);
  }

  function lookAt(one, byKey) {
    pointed = one;
    layers.light(one.index, one.at);
    const sentence = unit.show(shown, one.index, one.at);
    if (byKey) said.textContent = sentence;
  }

  async function offerSample() {
    const blob = await page.get(SAMPLE).then((response) => response.blob(), () => null);
    if (latest !== null || blob === null) return;
    latest = { blob, own: false };
    offer();
  }

  page.addEventListener("answer", ({ detail: { blob } }) => {
    latest = { blob, own: true };
    offer();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown && show(shown, latest.own));
  new IntersectionObserver(([entry]) => {
    near = entry.isIntersecting;
    if (near && latest === null) offerSample();
    offer();
  }, { rootMargin: NEAR }).observe(section);
}
