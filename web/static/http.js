// Requests to the board's API: their failures, their retries, and whether the board can be reached.
import { recordRequest } from "./request-log.js";

const DOWN = new Set([0, 502, 503, 504]);

/** An answer that says no, or none at all (`status` 0). `slug` names the kind of problem, `detail`
 * is the server's sentence, `errors` are `{pointer, detail}` of fields, `retryAfter` is in seconds. */
export class Problem extends Error {
  constructor({ status, slug, title = "", detail = "", errors = [], retryAfter = 0, requestId = null }) {
    super(detail || title || slug);
    Object.assign(this, { status, slug, title, detail, errors, retryAfter, requestId });
  }

  /** Whether the board, or a part of it, is down: the same request may well work in a while. */
  get isOutage() {
    return DOWN.has(this.status);
  }
}

/** Which parts of the board did not answer when they were last asked. A `change` event tells when that
 * changes, a `limited` event for how many seconds a request is held back because there were too many;
 * a `try` event asks for another try now. */
class Connectivity extends EventTarget {
  #down = new Set();

  get up() {
    return this.#down.size === 0;
  }

  /** A part has answered, or has not. */
  record(path, answered) {
    const part = contextOf(path);
    if (answered === !this.#down.has(part)) return;
    if (answered) this.#down.delete(part);
    else this.#down.add(part);
    this.dispatchEvent(new Event("change"));
    if (!answered && this.#down.size === 1) this.#look();
  }

  /** Nobody else may be asking: look until all is well again. */
  async #look() {
    for (let attempt = 2; !this.up; attempt++) {
      await pause(retryDelay(new Problem({ status: 0, slug: "unreachable" }), attempt));
      for (const part of this.#down) await ask("HEAD", `/api/${part}?limit=1`).catch(() => {});
    }
  }
}

export const connectivity = new Connectivity();

// A device that is offline may still reach a board that runs on itself.
addEventListener("offline", () => ask("HEAD", "/api/threads?limit=1").catch(() => {}));

/** Ask the API. The answer as `{status, headers, data}`; raises `Problem`, and an AbortError when
 * `signal` ends it. */
export async function ask(method, path, { body, headers = {}, signal, keepalive = false } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const response = await send(method, path, {
    method, headers: sent, signal, keepalive, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await textOf(path, response, signal);
  if (!response.ok) throw problemOf(response, text);
  return { status: response.status, headers: response.headers, data: text ? parse(text) : null };
}

/** The data of a GET. */
export async function get(path, options) {
  return (await ask("GET", path, options)).data;
}

/** One page of a list: `{items, next}`, `next` being the path of the next page, or null. */
export async function getPage(path, options) {
  const { data, headers } = await ask("GET", path, options);
  const next = /<([^>]+)>;\s*rel="next"/.exec(headers.get("Link") ?? "");
  return { items: data, next: next ? next[1] : null };
}

/** Begin to read an answer that goes on. Raises as `ask` does. */
export async function open(path, { headers = {}, signal } = {}) {
  const response = await send("GET", path, { headers, signal });
  if (!response.ok) throw problemOf(response, await textOf(path, response, signal));
  return response;
}

/** Do something that asks, again and again until the board can answer: while it is down, and while
 * it says that this was too fast. Other problems are raised. */
export async function retryWhileDown(doIt, signal) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await doIt();
    } catch (problem) {
      if (!(problem instanceof Problem) || !(problem.isOutage || problem.status === 429)) throw problem;
      const wait = retryDelay(problem, attempt);
      if (problem.status === 429) connectivity.dispatchEvent(new CustomEvent("limited", { detail: wait }));
      await pause(wait, signal);
    }
  }
}

/** How many seconds to wait after this problem: what the server said, and longer each time. */
export function retryDelay(problem, attempt) {
  if (problem.status === 429) return problem.retryAfter || 1;
  return Math.min(0.5 * 2 ** attempt, 8) * (0.75 + Math.random() / 2);
}

/** Wait; less when the device comes back online, or somebody presses "try now". */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      connectivity.removeEventListener("try", done);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener("online", done);
    connectivity.addEventListener("try", done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

async function send(method, path, init) {
  const began = performance.now();
  const about = { at: Date.now(), method, path };
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    recordRequest({ ...about, status: 0, ms: performance.now() - began, servedBy: null, requestId: null, traceId: null });
    connectivity.record(path, false);
    throw new Problem({ status: 0, slug: "unreachable" });
  }
  recordRequest({
    ...about,
    status: response.status,
    ms: performance.now() - began,
    servedBy: response.headers.get("X-Served-By"),
    requestId: response.headers.get("X-Request-ID"),
    traceId: response.headers.get("X-Amzn-Trace-Id"),
  });
  connectivity.record(path, !DOWN.has(response.status));
  return response;
}

async function textOf(path, response, signal) {
  try {
    return await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    connectivity.record(path, false);
    throw new Problem({ status: 0, slug: "unreachable" });
  }
}

function problemOf(response, text) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const requestId = response.headers.get("X-Request-ID");
  const told = (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json") ? parse(text) : null;
  const slug = told ? String(told.type).replace("/problems/", "") : DOWN.has(response.status) ? "unavailable" : "internal-error";
  return new Problem({ ...told, status: response.status, slug, retryAfter, requestId });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem({ status: 502, slug: "unavailable" });
  }
}

function contextOf(path) {
  const [, part] = /^\/api\/(threads|posts)\b/.exec(path) ?? [];
  return part ?? "users";
}
