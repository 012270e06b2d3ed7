// A drawing as strokes: what can be undone, put into a link, and made a picture of.

export const UNITS = 1024; // of the pad's height; it is as wide, or wider
const PEN = 46; // width of the pen, units
const HEIGHT = 256; // of the picture that is sent, pixels
const NEAREST = 5; // units between two points that are both kept

/** Strokes are lists of whole numbers x, y, x, y, ... in units; a list of strokes is never changed in place. */
export class Drawing {
  #past = []; // earlier lists of strokes
  strokes = [];

  /** `width` is the pad's, in units. */
  constructor(width = UNITS) {
    this.width = width;
  }

  get empty() {
    return this.strokes.length === 0;
  }

  get undoable() {
    return this.#past.length > 0;
  }

  replace(strokes) {
    this.#past.push(this.strokes);
    this.strokes = strokes;
  }

  begin(x, y) {
    this.replace([...this.strokes, clamped([x, y], this.width)]);
  }

  /** Whether the point was far enough from the last one to be kept. */
  extend(x, y) {
    const stroke = this.strokes.at(-1);
    const [toX, toY] = clamped([x, y], this.width);
    const [fromX, fromY] = stroke.slice(-2);
    if (Math.hypot(toX - fromX, toY - fromY) < NEAREST) return false;
    stroke.push(toX, toY);
    return true;
  }

  undo() {
    this.strokes = this.#past.pop() ?? [];
  }
}

function clamped(units, width) {
  return units.map((unit, i) => Math.min(i % 2 ? UNITS : width, Math.max(0, Math.round(unit))));
}

/** Draw strokes over the whole of a context, smoothed: curves from middle to middle of the points. */
export function paint(context, strokes, ink) {
  const scale = context.canvas.height / UNITS;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = PEN;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(stroke[0], stroke[1]);
    for (let i = 2; i + 3 < stroke.length; i += 2) {
      const [x, y, nextX, nextY] = stroke.slice(i, i + 4);
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...stroke.slice(-2));
    context.stroke();
  }
}

const sheet = document.createElement("canvas");
const onSheet = sheet.getContext("2d", { willReadFrequently: true, alpha: false });

/** A PNG of a Drawing, black on white. Made at once: toBlob waits until the browser is idle. */
export function pictureOf({ strokes, width }) {
  sheet.height = HEIGHT;
  sheet.width = (width / UNITS) * HEIGHT; // which clears it too
  onSheet.fillStyle = "white";
  onSheet.fillRect(0, 0, sheet.width, sheet.height);
  paint(onSheet, strokes, "black");
  const [, base64] = sheet.toDataURL("image/png").split(",");
  return new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" });
}

/** Strokes as text for a link: the steps from point to point as base-128 numbers, in base64url. */
export function toText(strokes) {
  const bytes = [];
  const write = (number) => {
    for (; number > 127; number >>>= 7) bytes.push((number & 127) | 128);
    bytes.push(number);
  };
  for (const stroke of strokes) {
    write(stroke.length / 2);
    stroke.forEach((unit, i) => {
      const step = unit - (i < 2 ? 0 : stroke[i - 2]);
      write(step < 0 ? -2 * step - 1 : 2 * step);
    });
  }
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The opposite, for a square pad. A text that is none, as when a link was cut short, gives what can be read of it. */
export function fromText(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return [];
  }
  let at = 0;
  const read = () => {
    let number = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++];
      number |= (byte & 127) << shift;
      if (!(byte & 128)) break; // also at the end, where there is no byte
    }
    return number;
  };
  const strokes = [];
  while (at < bytes.length) {
    const points = read();
    const stroke = [];
    while (stroke.length < 2 * points && at < bytes.length) {
      const number = read();
      const step = number & 1 ? -(number + 1) / 2 : number / 2;
      stroke.push(step + (stroke.length < 2 ? 0 : stroke.at(-2)));
    }
    if (stroke.length >= 2) strokes.push(clamped(stroke.slice(0, stroke.length & ~1), UNITS));
  }
  return strokes;
}
