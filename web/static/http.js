// Requests to the board's API: their retries, and whether the board can be reached.
import { isDown, parse, Problem, problemOf, retryDelay, unreachable } from "./problem.js";
import { callsOf, requestLog } from "./request-log.js";

/** Which contexts did not answer their latest request. Dispatches `change` when the board has become
 * reachable or unreachable, `limited` with the seconds for which a request waits because there were too
 * many. A `try` event dispatched to it makes waiting requests try at once. */
class Connectivity extends EventTarget {
  /** @type {Set<string>} */
  #down = new Set();

  get up() {
    return this.#down.size === 0;
  }

  /** Record whether the context that serves a path has answered.
   * @param {string} path
   * @param {boolean} answered */
  record(path, answered) {
    const context = contextOf(path);
    if (answered === !this.#down.has(context)) return;
    if (answered) this.#down.delete(context);
    else this.#down.add(context);
    this.dispatchEvent(new Event("change"));
    if (!answered && this.#down.size === 1) this.#probe();
  }

  /** Ask until every context answers again: the page may have no other request to make. */
  async #probe() {
    for (let attempt = 2; !this.up; attempt++) {
      await pause(retryDelay(unreachable(), attempt));
      for (const context of this.#down) await ask("HEAD", `/api/${context}?limit=1`).catch(() => {});
    }
  }
}

export const connectivity = new Connectivity();

/** Ask the board when the device goes offline: one that runs on this device can still be reached. */
export function probeWhenOffline() {
  addEventListener("offline", () => ask("HEAD", "/api/threads?limit=1").catch(() => {}));
}

/** Send a request to the API. Raises `Problem`, and an AbortError if `signal` aborts it.
 * @template Data
 * @param {string} method
 * @param {string} path
 * @param {Page.RequestOptions} [options]
 * @returns {Promise<Page.Answer<Data>>} */
export async function ask(method, path, { body, headers = {}, signal, keepalive = false } = {}) {
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const { response, logged } = await send(method, path, {
    method,
    headers: sent,
    signal,
    keepalive,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await textOf(path, response, signal).finally(() => requestLog.end(logged));
  if (!response.ok) throw problemOf(response, text);
  return { status: response.status, headers: response.headers, data: text ? parse(text) : null };
}

/** The data of a GET.
 * @template Data
 * @param {string} path
 * @param {Page.RequestOptions} [options]
 * @returns {Promise<Data>} */
export async function get(path, options) {
  /** @type {Page.Answer<Data>} */
  const { data } = await ask("GET", path, options);
  return data;
}

/** One page of a list.
 * @template Item
 * @param {string} path
 * @param {Page.RequestOptions} [options]
 * @returns {Promise<Page.ListPage<Item>>} */
export async function getPage(path, options) {
  /** @type {Page.Answer<Item[]>} */
  const { data, headers } = await ask("GET", path, options);
  const links = headers.get("Link") ?? "";
  const next = /<([^>]+)>;\s*rel="next"/.exec(links);
  const first = /<([^>]+)>;\s*rel="first"/.exec(links);
  return { items: data, next: next?.[1] ?? null, first: first?.[1] ?? null };
}

/** Open a response that is read as a stream until `signal` aborts. Raises what `ask` raises.
 * @param {string} path
 * @param {{headers?: Record<string, string>, signal: AbortSignal}} options */
export async function open(path, { headers = {}, signal }) {
  const { response, logged } = await send("GET", path, { headers, signal });
  if (!response.ok) {
    throw problemOf(response, await textOf(path, response, signal).finally(() => requestLog.end(logged)));
  }
  if (signal.aborted) requestLog.end(logged);
  else signal.addEventListener("abort", () => requestLog.end(logged));
  return response;
}

/** Run an action that sends requests, and repeat it while the board is unreachable or answers that there were
 * too many. Raises other problems.
 * @template Result
 * @param {() => Promise<Result>} action
 * @param {AbortSignal} [signal]
 * @returns {Promise<Result>} */
export async function retryWhileDown(action, signal) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action();
    } catch (problem) {
      if (!(problem instanceof Problem) || !(problem.isOutage || problem.status === 429)) throw problem;
      const wait = retryDelay(problem, attempt);
      if (problem.status === 429) connectivity.dispatchEvent(new CustomEvent("limited", { detail: wait }));
      await pause(wait, signal);
    }
  }
}

/** Wait until this has succeeded or failed, but not longer than some seconds. What is shown in one piece does
 * not move, and what is missing does not delay the rest for long.
 * @param {Promise<unknown>} action */
export function settled(action, seconds = 2) {
  return Promise.race([action.catch(() => {}), pause(seconds)]);
}

/** Wait; less if the device comes back online, or the visitor presses "try now".
 * @type {Page.Pause} */
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

/** The response, and its entry in the log, which the caller ends.
 * @param {string} method
 * @param {string} path
 * @param {RequestInit} init */
async function send(method, path, init) {
  const began = performance.now();
  const logged = requestLog.start(method, path);
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    requestLog.end(logged);
    if (init.signal?.aborted) throw error;
    requestLog.change(logged, { status: 0, ms: performance.now() - began });
    connectivity.record(path, false);
    throw unreachable();
  }
  requestLog.change(logged, {
    status: response.status,
    ms: performance.now() - began,
    servedBy: response.headers.get("X-Served-By"),
    requestId: response.headers.get("X-Request-ID"),
    traceId: response.headers.get("X-Amzn-Trace-Id"),
    calls: callsOf(response.headers.get("Server-Timing")),
  });
  connectivity.record(path, !isDown(response.status));
  return { response, logged };
}

/** @param {string} path
 * @param {Response} response
 * @param {AbortSignal} [signal] */
async function textOf(path, response, signal) {
  try {
    return await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    connectivity.record(path, false);
    throw unreachable();
  }
}

/** @param {string} path */
function contextOf(path) {
  return /^\/api\/(threads|posts|cases)\b/.exec(path)?.[1] ?? "users";
}
