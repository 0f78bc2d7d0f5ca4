// The requests that this page has made, for the panel that shows them.

const MAX_LOGGED = 200;

/** The latest requests, oldest first.
 * @type {Page.LoggedRequest[]} */
export const requests = [];

/** @type {Set<(request: Page.LoggedRequest) => void>} */
const listeners = new Set();

/** Add a request that has been answered, or failed with status 0.
 * @param {Page.LoggedRequest} request */
export function recordRequest(request) {
  requests.push(request);
  if (requests.length > MAX_LOGGED) requests.shift();
  for (const listener of listeners) listener(request);
}

/** Call a function with each request from now on, until the result is called.
 * @param {(request: Page.LoggedRequest) => void} listener */
export function onRequest(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
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
  recordRequest({
    at: performance.timeOrigin + start,
    method: "GET",
    path,
    status: entry.responseStatus || 200,
    ms,
    servedBy: server,
    requestId: null,
    traceId: null,
  });
}

/** @param {PerformanceResourceTiming} entry */
function servedBy(entry) {
  return entry.serverTiming.find((part) => part.name === "served-by")?.description ?? null;
}
