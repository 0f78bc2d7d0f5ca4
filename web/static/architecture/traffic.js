// What the logged requests say about the architecture: who answered, and which service asked which.
import { CONTEXTS } from "../contexts.js";

/** The contexts, and the page, which is a service as well. Others are added when a request reaches them. */
export const SHOWN = ["page", ...CONTEXTS];

/** Whether a request was for one of the page's files.
 * @param {Page.LoggedRequest} request */
export function isFile({ path }) {
  return path.startsWith("/assets/");
}

/** The context that a path belongs to.
 * @param {string} path */
export function contextOf(path) {
  const name = /^\/api\/([a-z]+)/.exec(path)?.[1] ?? "page";
  return name === "sessions" ? "users" : name;
}

const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

/** A short name of the process: `users-1` of `users/users-1`, and `users 3f9c` of `users/3f9c2b7a1e44`, whose
 * instance is a container.
 * @param {string} process */
export function instanceOf(process) {
  const [service, instance] = process.split("/");
  if (service === undefined || instance === undefined) return process;
  if (CONTAINER_ID.test(instance)) return `${service} ${instance.slice(0, 4)}`;
  return instance.startsWith(service) ? instance : process;
}

/** The context of a request and the instance that answered it; null if that is not known.
 * @param {Page.LoggedRequest} request */
export function routeOf({ path, servedBy }) {
  if (!servedBy || servedBy === "cache") return null;
  return { context: contextOf(path), instance: instanceOf(servedBy) };
}

/** Who answered the requests to each context.
 * @param {Page.LoggedRequest[]} requests
 * @returns {Page.ContextTraffic[]} */
export function trafficOf(requests) {
  /** @type {Map<string, Map<string, number>>} */
  const found = new Map(SHOWN.map((context) => [context, new Map()]));
  for (const request of requests) {
    const route = routeOf(request);
    if (route === null) continue;
    const instances = found.get(route.context) ?? new Map();
    instances.set(route.instance, (instances.get(route.instance) ?? 0) + 1);
    found.set(route.context, instances);
  }
  return [...found].map(([context, instances]) => ({
    context,
    count: [...instances.values()].reduce((sum, count) => sum + count, 0),
    instances: [...instances]
      .map(([instance, count]) => ({ instance, count }))
      .toSorted((a, b) => a.instance.localeCompare(b.instance)),
  }));
}

/** Which instance asked which, most often first. Ids in paths are left out: `/internal/threads/…`.
 * @param {Page.LoggedRequest[]} requests
 * @returns {Page.CallTraffic[]} */
export function callsBetween(requests) {
  /** @type {Map<string, Page.CallTraffic>} */
  const found = new Map();
  for (const { servedBy, calls } of requests) {
    if (!servedBy) continue;
    for (const call of calls) {
      const caller = instanceOf(servedBy);
      const callee = instanceOf(call.callee);
      const operation = call.operation.replaceAll(/\/\d+/g, "/…");
      const key = `${caller} ${callee} ${operation}`;
      const known = found.get(key);
      if (known) {
        known.meanMs = (known.meanMs * known.count + call.ms) / (known.count + 1);
        known.longestMs = Math.max(known.longestMs, call.ms);
        known.count += 1;
        known.failed += failed(call);
      } else {
        const ms = { meanMs: call.ms, longestMs: call.ms };
        found.set(key, { caller, callee, operation, count: 1, failed: failed(call), ...ms });
      }
    }
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}

/** @param {Page.InnerCall} call */
function failed({ status }) {
  return status === 0 || status >= 500 ? 1 : 0;
}
