// Threads by id: requested in batches, and cached while the page is open.
import { get } from "./http.js";

const BATCH_SIZE = 100;
const LARGEST_CACHE = 1000;

/** @type {Map<number, Promise<Api.Thread | null>>} */
const cache = new Map();
/** @type {Map<number, (thread: Api.Thread | null) => void>} */
let wanted = new Map();

/** The thread with an id, or null if there is none or the request fails. Threads that are needed at the same
 * moment are requested together.
 * @param {number} id
 * @returns {Promise<Api.Thread | null>} */
export function findThread(id) {
  const cached = cache.get(id);
  if (cached) return cached;
  if (cache.size >= LARGEST_CACHE) cache.clear();
  /** @type {Promise<Api.Thread | null>} */
  const promise = new Promise((resolve) => {
    if (wanted.size === 0) queueMicrotask(fetchWanted);
    wanted.set(id, resolve);
  });
  cache.set(id, promise);
  return promise;
}

async function fetchWanted() {
  const batch = wanted;
  wanted = new Map();
  const ids = [...batch.keys()];
  for (let start = 0; start < ids.length; start += BATCH_SIZE) {
    const some = ids.slice(start, start + BATCH_SIZE);
    /** @type {Api.Thread[]} */
    const threads = await get(`/api/threads?${some.map((id) => `id=${id}`).join("&")}`).catch(() => []);
    const found = new Map(threads.map((thread) => [thread.id, thread]));
    for (const id of some) {
      if (!found.has(id)) cache.delete(id);
      batch.get(id)?.(found.get(id) ?? null);
    }
  }
}
