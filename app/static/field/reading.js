// What was read, and what else it may be: of the whole field, and of each character.

import { h } from "../dom.js";
import { milliseconds, odds, percent, verdict } from "../words.js";

const QUIET = 700; // milliseconds without another reading before one is read out

/** `point(index)` is told which character is pointed at, or null. */
export function makeReading(section, { say, point }) {
  const panel = section.querySelector(".reading");
  const part = (name) => panel.querySelector(name);
  const characters = section.querySelector(".characters");
  let quiet = 0;
  empty();

  function empty() {
    panel.dataset.state = "empty";
    part(".read").textContent = "";
    part(".sure").textContent = "Write a number, or choose one.";
    for (const name of [".odds", ".accepted", ".time"]) part(name).textContent = "";
    part(".problem").hidden = true;
    part(".texts").hidden = true;
    clearTimeout(quiet);
  }

  /** `judged`: {accepted, reasons} at the error rate that is chosen. */
  function show(reading, judged, { total, server }) {
    const { text, confidence, alternatives } = reading;
    part(".read").textContent = text || "–";
    part(".sure").textContent = text ? `${percent(confidence)} sure` : "";
    part(".odds").textContent = text ? sentence(odds(confidence)) : "";
    part(".problem").hidden = true;
    part(".texts").hidden = alternatives.length === 0;
    part(".texts").tBodies[0].replaceChildren(...alternatives.map(row));
    const { decode = 0, queue = 0, infer = 0 } = server;
    part(".time").textContent = `${milliseconds(total)}: ${milliseconds(infer)} LeNet-5, ${milliseconds(decode)} cutting and weighing, ${milliseconds(Math.max(0, total - infer - decode))} waiting, browser and network`;
    part(".time").title = queue ? `${milliseconds(queue)} in the queue` : "";
    characters.replaceChildren(...reading.characters.map(card));
    judge(judged);
    clearTimeout(quiet);
    const heard = text ? `It reads ${[...text].join(" ")}. ${verdict(judged)}, ${odds(confidence)}.` : `${verdict(judged)}.`;
    quiet = setTimeout(() => say(heard), QUIET);
  }

  function judge(judged) {
    panel.dataset.state = judged.accepted ? "accepted" : "rejected";
    part(".accepted").textContent = `${verdict(judged)}.`;
  }

  function fail(problem) {
    if (panel.dataset.state === "empty") part(".sure").textContent = "";
    part(".problem").replaceChildren(problem.message, " ", h("code", {}, problem.code));
    part(".problem").hidden = false;
  }

  function card({ char, probability, alternatives }, index) {
    const others = alternatives.filter((other) => other.char !== char).slice(0, 3);
    return h(
      "li",
      { onpointerenter: () => point(index), onpointerleave: () => point(null) },
      h("b", {}, char),
      h("span", { class: "share" }, percent(probability)),
      h("ul", {}, ...(others.length ? others.map(other) : [h("li", { class: "none" }, "nothing else")])),
    );
  }

  return { empty, show, judge, fail };
}

function row({ text, probability }, index) {
  const bar = h("span");
  bar.style.width = `${probability * 100}%`;
  return h("tr", { class: index ? null : "top" }, h("th", { scope: "row" }, text), h("td", {}, bar), h("td", {}, percent(probability)));
}

function other({ char, probability }) {
  const bar = h("span", { class: "bar" });
  bar.style.width = `${Math.max(2, probability * 100)}%`;
  return h("li", {}, h("b", {}, char), h("span", { class: "track", "aria-hidden": true }, bar), h("span", {}, percent(probability)));
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
