// What concerns the whole page: the service is gone, or wants a key.

import { $ } from "./dom.js";

const BRIEFLY = 2500; // milliseconds

export function makeNotices(page) {
  const notice = $("notice");
  page.addEventListener("away", ({ detail }) => {
    notice.dataset.state = "away";
    notice.textContent = `${detail.problem.message} The page tries again until it does.`;
    notice.hidden = false;
  });
  page.addEventListener("back", () => {
    notice.dataset.state = "back";
    notice.textContent = "The service answers again.";
    setTimeout(() => (notice.hidden ||= notice.dataset.state === "back"), BRIEFLY);
  });

  page.addEventListener("locked", () => {
    if (!$("unlock").hidden) return;
    $("unlock").hidden = false;
    $("key").focus();
  });
  $("unlock").addEventListener("submit", (event) => {
    event.preventDefault();
    $("unlock").hidden = true;
    page.unlock($("key").value);
    $("key").value = "";
  });
}
