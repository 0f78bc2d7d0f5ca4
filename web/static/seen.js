// Which posts have been seen: kept on this device, apart for each of its users.
import { read, write } from "./storage.js";
import { session } from "./session.js";

const KEPT = 1000;

/** How many posts of a thread are new to the reader. What was there before their first visit is not. */
export function unreadCount(thread) {
  const { since, threads } = marks();
  const seen = threads[thread.id];
  if (seen !== undefined) return Math.max(0, thread.postCount - seen);
  return thread.lastPostAt && thread.lastPostAt > since ? thread.postCount : 0;
}

/** How many posts of a thread had been seen, or null when it never was. */
export function seenCount(thread) {
  return marks().threads[thread] ?? null;
}

/** A thread has been read up to so many posts. */
export function markSeen(thread, posts) {
  const kept = marks();
  const before = kept.threads[thread] ?? -1;
  if (before >= posts) return;
  delete kept.threads[thread];
  kept.threads[thread] = posts;
  const ids = Object.keys(kept.threads);
  // Objects list whole-number names in their order, so the smallest, the oldest threads, go first.
  for (const id of ids.slice(0, Math.max(0, ids.length - KEPT))) delete kept.threads[id];
  write(name(), kept);
}

function marks() {
  const kept = read(name());
  if (kept) return kept;
  const fresh = { since: new Date().toISOString(), threads: {} };
  write(name(), fresh);
  return fresh;
}

function name() {
  return `seen:${session.user?.id ?? "guest"}`;
}
