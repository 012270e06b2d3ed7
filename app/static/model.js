// Which model answers, how good it is, and its card.

import { $, h, svg } from "./dom.js";
import { Problem } from "./page.js";

const WIDTH = 280;
const HEIGHT = 180;
const MARGIN = { left: 40, right: 12, top: 22, bottom: 34 };

const ROLES = {
  test: "neither learnt from nor chosen by",
  new: "of an origin it never learnt from",
  "partly learnt": "partly learnt from, so no test",
};

/** Fills the chooser and the section on the model; asks again when the service is back or has got a key. */
export function makeModel(page) {
  let models = [];

  const current = () => models.find((model) => (page.model() ? spec(model) === page.model() : model.default));

  async function load() {
    let listed;
    try {
      ({ models: listed } = await (await page.get("models")).json());
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return; // the page shows it, and loads when this has passed
    }
    page.listed(listed);
    models = listed.filter((model) => model.task === "digit");
    $("model-choice").replaceChildren(
      ...models.map((model) => {
        const value = model.default ? "" : spec(model);
        return h("option", { value }, model.default ? `${spec(model)} (default)` : spec(model));
      }),
    );
    if (page.model() && !models.some((model) => spec(model) === page.model() && !model.default)) page.chooseModel(null);
    $("model-choice").value = page.model() ?? "";
    describe();
  }

  function describe() {
    const model = current();
    if (!model) return;
    const sets = Object.entries(model.metrics).filter(([, figures]) => Array.isArray(figures?.rejects));
    $("model-lead").replaceChildren(
      h("strong", {}, spec(model)),
      sets.length
        ? " answers. Of the digits it was measured on: the more it refuses, least sure first, the fewer of the rest are wrong."
        : " answers.",
    );
    $("curves").replaceChildren(...sets.map(([name, figures]) => curve(name, figures)));
    $("card-text").replaceChildren();
    if ($("card").open) showCard();
  }

  async function showCard() {
    const model = current();
    const place = $("card-text");
    if (!model || place.childElementCount) return;
    const folder = `models/${model.name}/${model.version}`;
    try {
      const text = await (await page.get(`${folder}/card`)).text();
      if (current() !== model) return;
      const card = new DOMParser().parseFromString(text, "text/html").querySelector("article");
      const pictures = [...card.querySelectorAll("img")].map((image) => [image, image.getAttribute("src")]);
      for (const [image] of pictures) image.removeAttribute("src"); // a picture's own request could not carry the key
      place.replaceChildren(document.adoptNode(card));
      for (const [image, file] of pictures) {
        image.src = URL.createObjectURL(await (await page.get(`${folder}/${file}`)).blob());
      }
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      place.append(h("p", { class: "problem" }, problem.message, " ", h("code", {}, problem.code)));
    }
  }

  $("model-choice").addEventListener("change", (event) => page.chooseModel(event.target.value));
  $("card").addEventListener("toggle", () => $("card").open && showCard());
  page.addEventListener("model", () => {
    $("model-choice").value = page.model() ?? "";
    describe();
  });
  page.addEventListener("back", load);
  page.addEventListener("unlocked", load);
  load();
}

const spec = ({ name, version }) => `${name}:${version}`;

/** The share of wrong answers among the rest, by the share that is refused; and where the model's threshold lies. */
function curve(name, { rejects, role, count, accepted, accepted_error_percent: left }) {
  const across = Math.max(...rejects.map(({ rejected }) => rejected), 1 - (accepted ?? 1)) * 100;
  const up = Math.max(...rejects.map(({ error_percent: error }) => error), 0.05) * 1.08;
  const x = (percent) => MARGIN.left + (percent / across) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (percent) => HEIGHT - MARGIN.bottom - (percent / up) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const points = rejects.map(({ rejected, error_percent: error }) => `${x(rejected * 100)},${y(error)}`);
  const refused = 100 * (1 - accepted);
  const said =
    accepted === undefined
      ? `${rejects[0].error_percent.toFixed(2)}\u00a0% are wrong when none is refused.`
      : `By its own threshold the model refuses ${refused.toFixed(1)}\u00a0%, and ${left.toFixed(2)}\u00a0% of the rest are wrong; ` +
        `of all ${rejects[0].error_percent.toFixed(2)}\u00a0%.`;
  const ticks = (end) => [0, 1, 2, 3, 4, 5].map((i) => i * step(end)).filter((tick) => tick <= end);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name}: ${said}` });
  for (const tick of ticks(up)) {
    picture.append(
      svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "up", x: MARGIN.left - 6, y: y(tick) + 4 }, String(Number(tick.toPrecision(2)))),
    );
  }
  for (const tick of ticks(across)) {
    picture.append(svg("text", { class: "across", x: x(tick), y: HEIGHT - MARGIN.bottom + 16 }, String(tick)));
  }
  picture.append(
    svg("text", { class: "across", x: (MARGIN.left + WIDTH) / 2, y: HEIGHT - 3 }, "% refused"),
    svg("text", { x: 0, y: 11 }, "% wrong of the rest"),
    svg("polyline", { class: "curve", points: points.join(" ") }),
  );
  if (accepted !== undefined) picture.append(svg("circle", { class: "threshold", cx: x(refused), cy: y(left), r: 4.5 }));
  const about = [`${count?.toLocaleString("en") ?? ""} digits`, ROLES[role]].filter(Boolean).join(", ");
  return h("figure", {}, h("figcaption", {}, h("strong", {}, name), ` ${about}`), picture, h("p", {}, said));
}

/** A round number of which two to five reach `end`. */
function step(end) {
  const decade = 10 ** Math.floor(Math.log10(end / 2));
  return [5, 2, 1].map((times) => times * decade).find((size) => end / size >= 2);
}
