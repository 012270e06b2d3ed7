// The error rate that is allowed, and what would be accepted at it.

import { h } from "../dom.js";
import { percent } from "../words.js";

const TARGETS = [0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1];
const USUAL = TARGETS.indexOf(0.01);
const [LOWEST, HIGHEST] = [0.5, 0.999]; // confidence at the ends of the scale
const TICKS = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
const KINDS = { postal_code: "postal codes", amount: "amounts", digits: "numbers" };

/** `changed()` is called while the slider moves, `chosen()` when it rests. */
export function makeAccepting(panel, { changed, chosen }) {
  const slider = panel.querySelector("input");
  const output = panel.querySelector("output");
  const scale = panel.querySelector(".scale");
  const outcome = panel.querySelector(".outcome");
  let tables = {}; // of the model that reads, by kind: [{target_error, threshold}], as /models has them

  slider.max = TARGETS.length - 1;
  slider.value = USUAL;
  const target = () => TARGETS[slider.value];
  slider.addEventListener("input", () => {
    showTarget();
    changed();
  });
  slider.addEventListener("change", chosen);
  showTarget();

  function showTarget() {
    const text = `${Number((target() * 100).toPrecision(2))}\u00a0%`;
    output.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  }

  /** The confidence from which on a kind of field is accepted; as the service has it. */
  function thresholdOf(kind) {
    const table = tables[kind] ?? [];
    const kept = table.findLast(({ target_error: error }) => error <= target());
    return kept ? kept.threshold : Math.max(1 - target(), table[0]?.threshold ?? 0);
  }

  /** {accepted, reasons} of a reading at the chosen error rate. */
  function judge({ confidence, reasons, field, text }) {
    const others = reasons.filter((reason) => reason !== "low_confidence");
    const unsure = text !== "" && confidence < thresholdOf(field.kind);
    const all = unsure ? [...others, "low_confidence"] : others;
    return { accepted: all.length === 0, reasons: all };
  }

  /** Show where `readings` stand, of whom `current` is looked at. */
  function show(current, readings) {
    const { kind } = current.field;
    const threshold = thresholdOf(kind);
    const alike = readings.filter((reading) => reading.field.kind === kind);
    const zone = h("span", { class: "zone" });
    zone.style.left = placeOf(threshold);
    scale.replaceChildren(
      zone,
      ...TICKS.map(tick),
      ...alike.filter((one) => one !== current).map((one) => dot(one, "dot")),
      dot(current, "dot current"),
    );
    const accepted = alike.filter((reading) => judge(reading).accepted);
    outcome.textContent = `Accepted from a confidence of ${percent(threshold)} on: ${accepted.length} of these ${alike.length} ${KINDS[kind]}.`;
  }

  function dot(reading, name) {
    const element = h("span", { class: name, title: `${reading.text || "–"}: ${percent(reading.confidence)}` });
    element.dataset.state = judge(reading).accepted ? "accepted" : "rejected";
    element.style.left = placeOf(reading.confidence);
    return element;
  }

  return { target, judge, show, setTables: (given) => (tables = given) };
}

function tick(confidence) {
  const element = h("span", { class: "tick" }, `${Number((100 * confidence).toFixed(1))}\u00a0%`);
  element.style.left = placeOf(confidence);
  return element;
}

/** Where a confidence stands on the scale, which is one of log-odds. */
function placeOf(confidence) {
  const logit = (p) => Math.log(p / (1 - p));
  const within = Math.min(HIGHEST, Math.max(LOWEST, confidence));
  return `${(100 * (logit(within) - logit(LOWEST))) / (logit(HIGHEST) - logit(LOWEST))}%`;
}
