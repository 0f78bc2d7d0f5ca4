// The requests that this page has made, for the panel that shows them.

const MAX_LOGGED = 200;

/** Requests, oldest first: those that are open, and the latest others. Dispatches `change`.
 *
 * A request is open until its response has been read to the end, or was cancelled. */
export class RequestLog extends EventTarget {
  /** @type {Page.LoggedRequest[]} */
  #requests = [];

  get requests() {
    return this.#requests;
  }

  /** Add a request that has been sent just now.
   * @param {string} method
   * @param {string} path
   * @param {number} [at] in milliseconds since 1970
   * @returns {Page.LoggedRequest} */
  start(method, path, at = Date.now()) {
    /** @type {Page.LoggedRequest} */
    const request = {
      at,
      method,
      path,
      open: true,
      status: null,
      ms: null,
      servedBy: null,
      requestId: null,
      traceId: null,
      calls: [],
    };
    this.#add(request);
    return request;
  }

  /** Record what has become known about a request.
   * @param {Page.LoggedRequest} request
   * @param {Partial<Page.LoggedRequest>} changes */
  change(request, changes) {
    Object.assign(request, changes);
    this.dispatchEvent(new Event("change"));
  }

  /** Record that nothing more is to come for a request.
   * @param {Page.LoggedRequest} request */
  end(request) {
    if (request.open) this.change(request, { open: false });
  }

  /** Remove every request that has ended. */
  clear() {
    this.#requests = this.#requests.filter((request) => request.open);
    this.dispatchEvent(new Event("change"));
  }

  /** Put requests of the previous page before those of this one. What was open there has ended with it.
   * @param {Page.LoggedRequest[]} earlier */
  restore(earlier) {
    const ended = earlier.map((request) => ({ ...request, open: false }));
    this.#requests = [...ended, ...this.#requests].slice(-MAX_LOGGED);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Page.LoggedRequest} request */
  #add(request) {
    this.#requests.push(request);
    if (this.#requests.length > MAX_LOGGED) {
      const ended = this.#requests.findIndex((logged) => !logged.open);
      this.#requests.splice(Math.max(0, ended), 1);
    }
    this.dispatchEvent(new Event("change"));
  }
}

/** The requests of this page. */
export const requestLog = new RequestLog();

/** The calls to other services that a Server-Timing field names.
 * @param {string | null} field
 * @returns {Page.InnerCall[]} */
export function callsOf(field) {
  const calls = [];
  for (const [, ms, text] of (field ?? "").matchAll(/\bcall;dur=([\d.]+);desc="([^"]*)"/g)) {
    const [callee, method, path, status] = text.split(" ");
    if (status === undefined) continue;
    calls.push({ callee, operation: `${method} ${path}`, status: Number(status) || 0, ms: Number(ms) });
  }
  return calls;
}

/** Add the document and the files that the browser itself has requested. Server-Timing names the process that
 * served them: a page cannot read the other headers of its own document. */
export function recordFiles() {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!(entry instanceof PerformanceResourceTiming)) continue;
      const path = new URL(entry.name).pathname;
      if (!path.startsWith("/assets/")) continue;
      // A file from this device's cache has the headers of the day on which it was received.
      recordFile(path, entry.startTime, entry.duration, entry, entry.transferSize > 0 ? servedBy(entry) : "cache");
    }
  }).observe({ type: "resource", buffered: true });
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation instanceof PerformanceNavigationTiming) {
    recordFile(location.pathname, 0, navigation.responseEnd, navigation, servedBy(navigation));
  }
}

/** @param {string} path
 * @param {number} start
 * @param {number} ms
 * @param {PerformanceResourceTiming} entry
 * @param {string | null} server */
function recordFile(path, start, ms, entry, server) {
  const request = requestLog.start("GET", path, performance.timeOrigin + start);
  requestLog.change(request, { open: false, status: entry.responseStatus || 200, ms, servedBy: server });
}

/** @param {PerformanceResourceTiming} entry */
function servedBy(entry) {
  return entry.serverTiming.find((part) => part.name === "served-by")?.description ?? null;
}
