// Every request that this page made, and who answered it: what the architecture panel shows.

const KEPT = 200;

/** The latest requests, oldest first: `{at, method, path, status, ms, servedBy, requestId, traceId}`. */
export const requests = [];

const listeners = new Set();

/** Note a request that has been answered, or has failed with status 0. */
export function recordRequest(request) {
  requests.push(request);
  if (requests.length > KEPT) requests.shift();
  for (const listener of listeners) listener(request);
}

/** Be told of each request from now on; call the result to stop. */
export function onRequest(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Note the documents and files that the browser itself asked for. Whoever answered says so in
 * Server-Timing, since a page cannot read the headers of its own document. */
export function recordFiles() {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const isFile = entry.entryType === "navigation" || new URL(entry.name).pathname.startsWith("/assets/");
      if (!isFile) continue;
      const path = new URL(entry.name).pathname;
      const timing = entry.serverTiming?.find((part) => part.name === "served-by");
      recordRequest({
        at: performance.timeOrigin + entry.startTime,
        method: "GET",
        path,
        status: entry.responseStatus || 200,
        ms: entry.duration,
        // A file from this device's cache carries the headers of the day it came.
        servedBy: entry.transferSize > 0 ? (timing?.description ?? null) : "cache",
        requestId: null,
        traceId: null,
      });
    }
  }).observe({ type: "resource", buffered: true });
  const [document] = performance.getEntriesByType("navigation");
  if (document) {
    const timing = document.serverTiming?.find((part) => part.name === "served-by");
    recordRequest({
      at: performance.timeOrigin, method: "GET", path: location.pathname, status: document.responseStatus || 200,
      ms: document.responseEnd, servedBy: timing?.description ?? null, requestId: null, traceId: null,
    });
  }
}
