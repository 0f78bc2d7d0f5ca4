// Server-sent events (HTML standard, section 9.2), read with fetch: unlike an EventSource, this does not
// give up after a 502, and it can resume after it was closed.
import { Problem, retryDelay } from "./problem.js";

const HIDDEN_FOR = 10_000;

/** @typedef {{id: string | null, kind: string, data: string | null}} StreamEvent */

/** Follow a stream until `signal` aborts it.
 *
 * A browser has six connections to one origin, and other tabs need them too: after ten seconds in the
 * background the stream is closed. It resumes without a gap when the tab is visible again.
 *
 * @param {string} path
 * @param {Page.StreamHandlers} handlers
 * @param {AbortSignal} signal
 * @param {{open: Page.Open, pause: Page.Pause, lastId?: string | null,
 *   page?: Page.Visibility}} parts `lastId` is the id of the last event that the reader knows */
export async function follow(path, handlers, signal, { open, pause, lastId = null, page = document }) {
  let failures = 0;
  while (!signal.aborted) {
    await untilVisible(page, signal);
    const connection = new AbortController();
    const close = () => connection.abort();
    signal.addEventListener("abort", close);
    const stopWatching = whenLongHidden(page, close);
    try {
      /** @type {Record<string, string>} */
      const headers = { Accept: "text/event-stream" };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await open(path, { headers, signal: connection.signal });
      for await (const event of eventsOf(response)) {
        if (event.id !== null) lastId = event.id;
        if (event.data !== null) handlers.onEvent(event.kind, JSON.parse(event.data));
        else if (event.id !== null) handlers.onOpen();
        failures = 0;
      }
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) return handlers.onGone();
      if (problem instanceof Problem && problem.status === 400) {
        lastId = null;
        handlers.onReset();
      }
      failures++;
      const wait = problem instanceof Problem ? retryDelay(problem, failures) : 0.3;
      if (!connection.signal.aborted) await pause(wait, signal).catch(() => {});
    } finally {
      stopWatching();
      signal.removeEventListener("abort", close);
      connection.abort();
    }
    if (failures === 0 && !signal.aborted) await pause(0.2 + Math.random() * 0.3, signal).catch(() => {});
  }
}

/** @param {Response} response */
async function* eventsOf(response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) yield eventOf(block);
  }
}

/** @param {string} block */
function eventOf(block) {
  /** @type {StreamEvent} */
  const event = { id: null, kind: "message", data: null };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (value === undefined) continue;
    if (name === "id") event.id = value;
    else if (name === "event") event.kind = value;
    else if (name === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
  }
  return event;
}

/** @param {Page.Visibility} page
 * @param {() => void} close */
function whenLongHidden(page, close) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = () => {
    clearTimeout(timer);
    if (page.hidden) timer = setTimeout(close, HIDDEN_FOR);
  };
  page.addEventListener("visibilitychange", look);
  look();
  return () => {
    clearTimeout(timer);
    page.removeEventListener("visibilitychange", look);
  };
}

/** @param {Page.Visibility} page
 * @param {AbortSignal} signal
 * @returns {Promise<void>} */
function untilVisible(page, signal) {
  if (!page.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (page.hidden && !signal.aborted) return;
      page.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    page.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}
