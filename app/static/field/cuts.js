// The segmentation graph: the cuts through the line, and every run of pieces that was shown to the network.

import { h, svg } from "../dom.js";
import { percent } from "../words.js";

const HIGHEST = 180; // pixels of the line as it is shown
const NARROWEST = 320; // pixels
const UNLIKELY = 0.9; // to be no whole digit: from there on a run has a thin bar

/** `show(reading, blob)` draws the graph of a reading that was asked for with `debug`, over its picture. */
export function makeCuts(figure) {
  const [image, over] = [figure.querySelector("img"), figure.querySelector("svg")];
  const runs = figure.querySelector(".runs");
  const caption = figure.querySelector("figcaption");
  const frame = svg("rect", { class: "pointed" });
  let summary = "";

  function show({ image: { width, height }, debug: { nodes, candidates, cuts, path } }, blob) {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
    figure.style.maxWidth = `${Math.max(NARROWEST, (HIGHEST * width) / height)}px`;
    over.setAttribute("viewBox", `0 0 ${width} ${height}`);
    over.replaceChildren(...cuts.map(lineOf), frame);
    hide();
    const taken = new Map(path.map(({ candidate, symbol }) => [candidate, symbol]));
    const all = candidates.map((one, i) => ({ ...one, ...seen(one.scores), symbol: taken.get(i) }));
    const reading = apart(all.filter((run) => run.symbol !== undefined));
    const others = all.filter((run) => run.symbol === undefined).sort((a, b) => a.no_digit - b.no_digit);
    runs.replaceChildren(
      lane("taken", reading, width),
      ...lanesOf(others.filter((run) => run.no_digit < UNLIKELY)).map((some) => lane("", some, width)),
      ...lanesOf(others.filter((run) => run.no_digit >= UNLIKELY)).map((some) => lane("unlikely", some, width)),
    );
    summary = candidates.length
      ? `${cuts.length} cuts make ${nodes - 1} pieces; ${candidates.length} runs of them were shown to LeNet-5. The reading is the first row, and takes ${cuts.filter((cut) => cut.taken).length} of the cuts. The fuller a bar below it, the more it looks like one whole digit; thin ones do not.`
      : "Nothing was cut: there is no ink.";
    runs.setAttribute("aria-label", summary);
    hide();
  }

  function lane(name, some, width) {
    return h("div", { class: `lane ${name}` }, ...some.map((run) => bar(run, width)));
  }

  function bar(run, width) {
    const [left, right] = run.ends ?? [run.box[0], run.box[0] + run.box[2]];
    const element = h("span", { class: "run", onpointerenter: () => point(run), onpointerleave: hide }, run.symbol ?? (run.no_digit < 0.5 ? run.best : ""));
    element.style.left = `${(100 * left) / width}%`;
    element.style.width = `${(100 * (right - left)) / width}%`;
    element.style.setProperty("--whole", `${Math.round(6 + 40 * (1 - run.no_digit))}%`);
    return element;
  }

  function point(run) {
    const [x, y, width, height] = run.box;
    for (const [name, value] of Object.entries({ x, y, width, height })) frame.setAttribute(name, value);
    frame.style.display = "";
    const pieces = run.stop - run.start === 1 ? `Piece ${run.stop}` : `Pieces ${run.start + 1} to ${run.stop}`;
    caption.textContent = `${pieces}: likeliest ${nameOf(run.best)}, then ${nameOf(run.second)}. That it is not one whole digit: ${percent(run.no_digit)}.`;
  }

  function hide() {
    frame.style.display = "none";
    caption.textContent = summary;
  }

  return { show };
}

const nameOf = (symbol) => (/\d/.test(symbol) ? `a ${symbol}` : `the mark ${symbol}`);

/** The two symbols that a candidate is likeliest to be. */
function seen(scores) {
  const [best, second] = Object.entries(scores).sort(([, a], [, b]) => b - a).map(([symbol]) => symbol);
  return { best, second };
}

function lineOf({ points, taken, through_ink: throughInk }) {
  return svg("polyline", { class: [taken ? "taken" : "", throughInk ? "" : "gap"].join(" "), points: points.map((point) => point.join(",")).join(" ") });
}

/** Runs that follow one another; of two whose boxes overlap each gets half of what they share. */
function apart(runs) {
  const ends = runs.map(({ box: [left, , width] }) => [left, left + width]);
  for (let i = 1; i < ends.length; i++) {
    if (ends[i - 1][1] > ends[i][0]) ends[i - 1][1] = ends[i][0] = (ends[i - 1][1] + ends[i][0]) / 2;
  }
  return runs.map((run, i) => ({ ...run, ends: ends[i] }));
}

/** Runs in rows in which none have a piece in common; those that come first get the higher rows. */
function lanesOf(runs) {
  const lanes = [];
  for (const run of runs) {
    const lane = lanes.find((some) => some.every((one) => one.stop <= run.start || one.start >= run.stop));
    if (lane) lane.push(run);
    else lanes.push([run]);
  }
  return lanes;
}
