// What is said of a field to the reader: what it holds, and which model reads it.

import { $, h } from "../dom.js";

const COUNTRIES = "AT AU BE BG BR CH CN CZ DE DK EE ES FI FR GR HR HU ID IN IT JP KR MX MY NO NZ PL RO RS SE SI SK TH TR UA US VN ZA".split(" ");

/** `changed()` is called when somebody chose otherwise. */
export function makeOptions(page, changed) {
  const [kind, country, check, model] = ["kind", "country", "check", "model"].map((name) => $(`field-${name}`));
  const names = new Intl.DisplayNames(["en"], { type: "region" });
  const named = COUNTRIES.map((code) => [names.of(code), code]).sort();
  country.replaceChildren(...named.map(([name, value]) => h("option", { value }, name)));
  set({ kind: "postal_code", country: "US" });

  for (const select of [kind, country, check, model]) {
    select.addEventListener("change", () => {
      showFitting();
      changed();
    });
  }

  page.addEventListener("models", ({ detail: { models } }) => {
    const chosen = model.value;
    const options = models
      .filter(({ task }) => task === "field")
      .map(({ name, version, default: own }) => h("option", { value: own ? "" : `${name}:${version}` }, `${name}:${version}${own ? " (default)" : ""}`));
    if (options.length) model.replaceChildren(...options);
    model.value = options.some(({ value }) => value === chosen) ? chosen : "";
  });

  function showFitting() {
    country.parentElement.hidden = kind.value !== "postal_code";
    check.parentElement.hidden = kind.value !== "digits";
  }

  /** Say what a sample is. */
  function set(options) {
    kind.value = options.kind;
    country.value = options.country ?? "US";
    check.value = options.check ?? "";
    showFitting();
  }

  /** {kind, country, check}, as far as they are said. */
  function get() {
    return {
      kind: kind.value,
      ...(kind.value === "postal_code" ? { country: country.value } : {}),
      ...(kind.value === "digits" && check.value ? { check: check.value } : {}),
    };
  }

  return { get, set, model: () => model.value };
}
