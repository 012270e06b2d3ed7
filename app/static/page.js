// What the parts of the page share: requests to the service, whether it is there, the key, the chosen model.

/** An answer that is an error, or none at all: `code` and `message` are what a person is shown. */
export class Problem extends Error {
  constructor(code, message, { status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.status = status; // 0 when there was no answer
    this.retryAfter = retryAfter; // seconds
  }
}

const KEY = "lenet5-key";
const FIRST_RETRY = 500; // milliseconds
const LONGEST_RETRY = 4000;

/**
 * Events, which it dispatches on itself:
 *   answer   detail {blob, prediction, model}: a picture of a digit was answered
 *   model    another model was chosen
 *   models   detail {models}: what /models lists has come
 *   away     the service does not answer; detail {problem}
 *   back     it answers again
 *   locked   it wants a key, or another one
 *   unlocked a key was given
 */
export class Page extends EventTarget {
  #model = null;
  #target = null;
  #away = false;

  /** "name:version" of the digit model that was chosen, or null for the service's default. */
  model() {
    return this.#model;
  }

  chooseModel(spec) {
    this.#model = spec || null;
    this.#tell("model");
  }

  /** Accept so that at most this share, as text, of what is accepted is wrong; "" for the model's own threshold. */
  chooseTarget(share) {
    this.#target = share || null;
  }

  /** The path of a request about digits, with what was chosen. */
  asking(path) {
    const query = new URLSearchParams();
    if (this.#model) query.set("model", this.#model);
    if (this.#target) query.set("target_error", this.#target);
    return query.size ? `${path}?${query}` : path;
  }

  /** Tell everybody which models are served. */
  listed(models) {
    this.#tell("models", { models });
  }

  /** Tell everybody what a picture of a digit was answered. */
  answered(blob, prediction) {
    this.#tell("answer", { blob, prediction, model: prediction.model });
  }

  /** The Response of a POST of a Blob or FormData; `path` is relative, as "predict?model=lenet5:2". Throws Problem. */
  post(path, body, { signal, headers = {} } = {}) {
    return this.#request(path, { method: "POST", body, signal, headers });
  }

  /** The Response of a GET. Throws Problem. */
  get(path, { signal } = {}) {
    return this.#request(path, { signal });
  }

  /** Whether a key goes with each request. */
  get unlocked() {
    return sessionStorage.getItem(KEY) !== null;
  }

  unlock(key) {
    sessionStorage.setItem(KEY, key);
    this.#tell("unlocked");
  }

  async #request(path, options) {
    const key = sessionStorage.getItem(KEY);
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      const problem = new Problem("unreachable", "The service does not answer.");
      this.#leave(problem);
      throw problem;
    }
    if (response.ok) {
      this.#return();
      return response;
    }
    const problem = await problemOf(response);
    if (response.status === 401) this.#tell("locked");
    if (response.status === 503) this.#leave(problem);
    throw problem;
  }

  /** The service is gone: ask until it is back. */
  #leave(problem) {
    if (this.#away) return;
    this.#away = true;
    this.#tell("away", { problem });
    let wait = FIRST_RETRY;
    const ask = async () => {
      const ready = await fetch("health/ready", { cache: "no-store" }).then((r) => r.ok, () => false);
      if (ready) this.#return();
      else if (this.#away) setTimeout(ask, (wait = Math.min(2 * wait, LONGEST_RETRY)));
    };
    setTimeout(ask, wait);
  }

  #return() {
    if (!this.#away) return;
    this.#away = false;
    this.#tell("back");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The Problem that an answer with an error status tells of; a proxy in between may not speak our form. */
async function problemOf(response) {
  const options = { status: response.status, retryAfter: Number(response.headers.get("Retry-After")) || 0 };
  try {
    const { error } = await response.json();
    return new Problem(error.code, error.message, options);
  } catch {
    return new Problem(`http_${response.status}`, `The answer was the HTTP status ${response.status}.`, options);
  }
}
