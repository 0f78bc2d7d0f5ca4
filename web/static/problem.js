// Answers of the API that are no success, and when to try again.

const DOWN = new Set([0, 502, 503, 504]);

/** An answer that is no success, or no answer at all (`status` 0). `slug` names the kind of problem,
 * `detail` is the server's sentence, and `retryAfter` is in seconds. */
export class Problem extends Error {
  /** @param {{status: number, slug: string, title?: string, detail?: string, errors?: Api.FieldError[],
   *   retryAfter?: number, requestId?: string | null}} about */
  constructor({ status, slug, title = "", detail = "", errors = [], retryAfter = 0, requestId = null }) {
    super(detail || title || slug);
    this.status = status;
    this.slug = slug;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }

  /** Whether the board, or a part of it, is down: the same request may well succeed later. */
  get isOutage() {
    return isDown(this.status);
  }
}

/** Whether an answer with this status means that the board, or a part of it, is down.
 * @param {number} status */
export function isDown(status) {
  return DOWN.has(status);
}

/** The problem that a response describes; `text` is its body.
 * @param {Response} response
 * @param {string} text */
export function problemOf(response, text) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const requestId = response.headers.get("X-Request-ID");
  const described = (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
  /** @type {Partial<Api.Problem>} */
  const body = described ? parse(text) : {};
  const otherwise = isDown(response.status) ? "unavailable" : "internal-error";
  const slug = described ? String(body.type).replace("/problems/", "") : otherwise;
  const { title, detail, errors } = body;
  return new Problem({ title, detail, errors, status: response.status, slug, retryAfter, requestId });
}

/** The JSON value of a body. Raises `Problem` if it is not JSON: then something between the page and the
 * board has answered.
 * @param {string} text */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem({ status: 502, slug: "unavailable" });
  }
}

/** The problem of a request that reached nobody. */
export function unreachable() {
  return new Problem({ status: 0, slug: "unreachable" });
}

/** How many seconds to wait after this problem before the next try: what the server said, or longer each
 * time. `attempt` counts from 0.
 * @param {Problem} problem
 * @param {number} attempt */
export function retryDelay(problem, attempt, random = Math.random) {
  if (problem.status === 429) return problem.retryAfter || 1;
  return Math.min(0.5 * 2 ** attempt, 8) * (0.75 + random() / 2);
}
