// Drawing on the canvas, with mouse, pen, finger or keys.

import { paint, UNITS } from "./drawing.js";

const STEP = 64; // units that an arrow key moves the pen
const SMALL_STEP = 16;
const WAYS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

/**
 * `drawn(time)` is called when the drawing has changed, with the time of the event; `begun()` before a stroke begins;
 * `ended()` after it; `said(text)` with what a blind person should hear.
 */
export function makePad(canvas, pen, drawing, { begun, drawn, ended, said }) {
  const context = canvas.getContext("2d");
  let repainting = 0; // the frame in which that happens
  let pointer = null; // the one that draws
  let down = false; // the pen of the keys
  let at = [UNITS / 2, UNITS / 2];

  function repaint() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio));
    if (height === 0) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, drawing.strokes, getComputedStyle(canvas).color);
  }

  function change(time) {
    drawn(time);
    if (repainting) return;
    repainting = requestAnimationFrame(() => {
      repainting = 0;
      repaint();
    });
  }

  const unitsOf = (event) => {
    const { left, top, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) / height) * UNITS, ((event.clientY - top) / height) * UNITS];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    lift();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    begun();
    drawing.begin(...unitsOf(event));
    change(event.timeStamp);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const moved = (events.length ? events : [event]).map((each) => drawing.extend(...unitsOf(each)));
    if (moved.includes(true)) change(event.timeStamp);
  });
  const release = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    ended();
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);

  function lift() {
    if (!down) return;
    down = false;
    pen.classList.remove("down");
    said("Pen up.");
    ended();
  }

  function place() {
    pen.style.left = `${(at[0] / drawing.width) * 100}%`;
    pen.style.top = `${(at[1] / UNITS) * 100}%`;
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    if (way) {
      const step = event.shiftKey ? SMALL_STEP : STEP;
      at = at.map((unit, i) => Math.min(i ? UNITS : drawing.width, Math.max(0, unit + way[i] * step)));
      place();
      if (down && drawing.extend(...at)) change(event.timeStamp);
    } else if (event.key === " " && !down) {
      down = true;
      pen.classList.add("down");
      said("Pen down.");
      begun();
      drawing.begin(...at);
      change(event.timeStamp);
    } else if (event.key === " " || event.key === "Escape") {
      lift();
    } else {
      return;
    }
    event.preventDefault(); // of the page's scrolling
  });
  canvas.addEventListener("focus", () => (pen.hidden = !canvas.matches(":focus-visible")));
  canvas.addEventListener("blur", () => {
    lift();
    pen.hidden = true;
  });

  new ResizeObserver(repaint).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  place();
  return { change, lift };
}
