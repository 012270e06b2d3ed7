// Small pictures in a row, each a button: the samples, and what the user brought.

import { h } from "./dom.js";

/** Adds to `list` a tile that calls `choose` when it is pressed. `about` says to everybody what the picture is. */
export function addTile(list, { picture, about, caption = "", choose }) {
  const image = h("img", { src: picture, alt: "", width: 48, height: 48, decoding: "async" });
  const under = h("span", { class: "caption" }, caption);
  const button = h("button", { "aria-label": about, "aria-pressed": "false", title: about, onclick: choose }, image, under);
  const tile = h("li", {}, button);
  list.append(tile);
  return {
    label(text, state, said) {
      under.textContent = text;
      tile.dataset.state = state;
      button.setAttribute("aria-label", said);
      button.title = said;
    },
    press() {
      releaseTiles(button.closest("section"));
      button.setAttribute("aria-pressed", "true");
    },
  };
}

/** None of a section's is what lies on its stage. */
export function releaseTiles(section) {
  for (const button of section.querySelectorAll(".tiles [aria-pressed='true']")) button.setAttribute("aria-pressed", "false");
}
