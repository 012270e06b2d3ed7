// The answer, as it stands beside the drawing pad.

import { $, h } from "./dom.js";
import { milliseconds, odds, percent, shortened, verdict } from "./words.js";

const QUIET = 700; // milliseconds without another answer before one is read out
const PARTS = { decode: "decode and centre", queue: "wait", infer: "LeNet-5" };

const rows = Array.from({ length: 10 }, (_, digit) => {
  const bar = h("span");
  const share = h("td");
  const row = h("tr", {}, h("th", { scope: "row" }, String(digit)), h("td", {}, bar), share);
  return { row, bar, share };
});

export function makeAnswer(say) {
  const panel = $("answer");
  let quiet = 0;
  $("bars").tBodies[0].append(...rows.map(({ row }) => row));
  empty();

  function empty() {
    panel.dataset.state = "empty";
    $("digit").textContent = "";
    $("sure").textContent = "Draw a digit, and the network reads it with every stroke.";
    $("odds").textContent = "It says how sure it is, how often it is wrong when it is that sure, and what took how long.";
    for (const id of ["runner-up", "accepted"]) $(id).textContent = "";
    $("time").hidden = true;
    $("problem").hidden = true;
    showBars(null);
    clearTimeout(quiet);
  }

  function show(prediction, timing) {
    const { digit, confidence, probabilities, accepted, reasons } = prediction;
    const blank = reasons.includes("blank");
    const second = probabilities.map((p, i) => [p, i]).filter(([, i]) => i !== digit).sort(([p], [q]) => q - p)[0];
    panel.dataset.state = accepted ? "accepted" : "rejected";
    $("digit").textContent = blank ? "–" : digit;
    $("sure").textContent = `${percent(confidence)} sure`;
    $("odds").textContent = blank ? "" : sentence(odds(confidence));
    $("runner-up").textContent = blank ? "" : `Next likeliest: ${second[1]}, ${percent(second[0])}`;
    $("accepted").textContent = `${verdict(prediction)}.`;
    $("problem").hidden = true;
    showBars(prediction);
    showTime(timing);
    clearTimeout(quiet);
    const heard = blank ? verdict(prediction) : `It reads ${digit}. ${verdict(prediction)}, ${odds(confidence)}`;
    quiet = setTimeout(() => say(`${heard}.`), QUIET);
  }

  function fail(problem) {
    if (panel.dataset.state === "empty") $("sure").textContent = "";
    $("problem").replaceChildren(problem.message, " ", h("code", {}, problem.code));
    $("problem").hidden = false;
  }

  return { empty, show, fail };
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function showBars(prediction) {
  rows.forEach(({ row, bar, share }, digit) => {
    const probability = prediction?.probabilities[digit];
    row.classList.toggle("top", digit === prediction?.digit);
    bar.style.width = `${(probability ?? 0) * 100}%`;
    share.textContent = probability === undefined ? "" : shortened(probability, 1);
  });
}

/** `timing`: milliseconds, {total, server: {decode, queue, infer}}; what the server does not name lies between. */
function showTime({ total, server }) {
  const named = Object.entries(PARTS).filter(([key]) => key in server);
  const parts = named.map(([key, name]) => [key, name, server[key]]);
  const between = Math.max(0, total - parts.reduce((sum, [, , time]) => sum + time, 0));
  parts.push(["between", "browser and network", between]);
  $("time").hidden = false;
  $("time-total").textContent = `${milliseconds(total)} from the stroke to the answer`;
  $("time-bar").replaceChildren(
    ...parts.map(([key, , time]) => {
      const piece = h("span", { class: key });
      piece.style.flexGrow = time;
      return piece;
    }),
  );
  $("time-parts").replaceChildren(
    ...parts.map(([key, name, time]) => h("li", { class: key }, `${name} ${milliseconds(time)}`)),
  );
}

/** The W3C header Server-Timing, "decode;dur=0.1, queue;dur=0.2", in milliseconds by name. */
export function serverTiming(header) {
  const entries = [...(header ?? "").matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(entries.map(([, name, duration]) => [name, Number(duration)]));
}
