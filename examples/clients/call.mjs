// Reads digits and a postal code by fetch, in Node 20 or later; in a browser `ask` is the same.
//
//     lenet5 serve &
//     node examples/clients/call.mjs http://127.0.0.1:8000
//
// A service with keys wants one: the variable LENET5_API_KEY.

import { readFile } from "node:fs/promises";

const url = process.argv[2] ?? "http://127.0.0.1:8000";
const key = process.env.LENET5_API_KEY;
const TRY = 4_000; // milliseconds: Node's fetch may never notice that a connection has gone

/** An answer with an error: its code is stable, its message a sentence for people. */
class Refused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/** The JSON that the service answers; tries again until `seconds` have passed, as reading a picture changes nothing. */
async function ask(path, body, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (let wait = 100; ; wait *= 2) {
    let delay = wait * (0.5 + Math.random()); // callers that were refused together come back apart
    let failure;
    const late = new AbortController();
    const alarm = setTimeout(() => late.abort(new Error("No answer in time")), Math.min(end - Date.now(), TRY));
    try {
      const response = await fetch(url + path, {
        method: "POST",
        body,
        headers: key ? { "X-API-Key": key } : {},
        signal: late.signal,
      });
      const answer = await response.json();
      if (response.ok) return answer;
      failure = new Refused(answer.error);
      if (response.status !== 429 && response.status !== 503) throw failure;
      delay += 1000 * Number(response.headers.get("Retry-After") ?? 0);
    } catch (error) {
      if (error instanceof Refused) throw error;
      failure = error; // no connection, or it broke
    } finally {
      clearTimeout(alarm);
    }
    if (Date.now() + delay >= end) throw failure;
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

/** A picture file of the folder above, as a form takes it. */
async function picture(name) {
  return new Blob([await readFile(new URL(`../${name}`, import.meta.url))]);
}

const digit = await ask("/predict", await picture("7.png"));
console.log(`7.png: ${digit.digit}, right with a probability of ${digit.confidence.toFixed(4)}`);

const many = new FormData();
for (const name of ["7.png", "photo-of-a-4.jpg"]) many.append("files", await picture(name), name);
for (const found of (await ask("/predict/batch", many)).results) console.log(found.error?.code ?? found.digit);

const field = await ask("/read?kind=postal_code&country=US&target_error=0.01", await picture("zip.png"));
console.log(`zip.png: ${field.text}, ${field.accepted ? "accepted" : field.reasons.join(", ")}`);

try {
  await ask("/predict", new Blob(["no picture"]));
} catch (error) {
  console.log(`refused: ${error.code}`);
}
