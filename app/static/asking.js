// One request at a time: the service is asked about the newest picture, and what came between is passed over.

import { Problem } from "./page.js";

/**
 * `offer(subject)`, whose `time` is that of the stroke, has `ask(subject)` called as soon as the one before is done; of several that wait, the last wins.
 * After a problem that passes by itself the last subject is asked about again.
 */
export function makeAsker(page, ask, failed) {
  let waiting = null;
  let last = null;
  let busy = false;

  async function offer(subject) {
    waiting = last = subject;
    if (busy) return;
    busy = true;
    try {
      while (waiting !== null) await attempt();
    } finally {
      busy = false;
    }
  }

  async function attempt() {
    const subject = waiting;
    waiting = null;
    try {
      await ask(subject);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      failed(problem);
      if (problem.retryAfter === 0) return;
      await new Promise((resolve) => setTimeout(resolve, problem.retryAfter * 1000));
      waiting ??= last;
    }
  }

  function again() {
    if (last === null) return;
    last.time = performance.now(); // what is measured begins now
    offer(last);
  }

  page.addEventListener("back", again);
  page.addEventListener("unlocked", again);
  return { offer, again, forget: () => (waiting = last = null) };
}
