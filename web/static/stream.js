// Server-sent events (HTML standard, section 9.2), read with fetch: unlike an EventSource it does not
// give up on a 502, and it can say where to go on from after it was closed.
import { open, pause, Problem, retryDelay } from "./http.js";

const HIDDEN_FOR = 10_000;

/** Follow a stream until `signal` ends it. `onEvent(kind, data)` gets each event, `onOpen()` is called
 * each time the stream is there, `onGone()` when there is no such thing any more, and `onReset()` when
 * the server cannot go on from where we were, so that everything must be read anew.
 *
 * A browser has six connections to one origin, and other tabs need them too: after ten seconds in
 * the background the stream is closed, and goes on without a gap when somebody looks again. */
export async function follow(path, { onEvent, onOpen, onGone, onReset }, signal) {
  let lastId = null;
  let failures = 0;
  while (!signal.aborted) {
    await untilVisible(signal);
    const turn = new AbortController();
    const end = () => turn.abort();
    signal.addEventListener("abort", end);
    const stopWatching = whenLongHidden(end);
    try {
      const headers = { Accept: "text/event-stream", ...(lastId === null ? {} : { "Last-Event-ID": lastId }) };
      const response = await open(path, { headers, signal: turn.signal });
      for await (const event of eventsOf(response.body)) {
        if (event.id !== null) lastId = event.id;
        if (event.data !== null) onEvent(event.kind, JSON.parse(event.data));
        else if (event.id !== null) onOpen();
        failures = 0;
      }
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) return onGone();
      if (problem instanceof Problem && problem.status === 400) {
        lastId = null;
        onReset();
      }
      failures++;
      const wait = problem instanceof Problem ? retryDelay(problem, failures) : 0.3;
      if (!turn.signal.aborted) await pause(wait, signal).catch(() => {});
    } finally {
      stopWatching();
      signal.removeEventListener("abort", end);
      turn.abort();
    }
    if (failures === 0 && !signal.aborted) await pause(0.2 + Math.random() * 0.3, signal).catch(() => {});
  }
}

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block) {
  const event = { id: null, kind: "message", data: null };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (name === "id") event.id = value;
    else if (name === "event") event.kind = value;
    else if (name === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
  }
  return event;
}

function whenLongHidden(close) {
  let timer = null;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, HIDDEN_FOR);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

function untilVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}
