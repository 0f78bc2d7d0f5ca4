// Rules for unsuccessful responses: their meaning, and when to try again.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse, Problem, problemOf, retryDelay } from "../../../web/static/problem.js";

const DETAILS = {
  type: "/problems/invalid",
  title: "Invalid",
  status: 422,
  detail: "Two fields are wrong.",
  errors: [],
};

/** @param {number} status
 * @param {Record<string, string>} headers
 * @param {string} text */
function problem(status, headers, text) {
  return problemOf(new Response(text, { status, headers }), text);
}

describe("a problem", () => {
  test("has the members of the server's response", () => {
    const errors = [{ pointer: "/title", detail: "Too short." }];
    const headers = { "Content-Type": "application/problem+json", "X-Request-ID": "night-train-7" };
    const {
      status,
      slug,
      title,
      detail,
      errors: found,
      requestId,
    } = problem(422, headers, JSON.stringify({ ...DETAILS, errors }));
    assert.deepEqual(
      { status, slug, title, detail, errors: found, requestId },
      {
        status: 422,
        slug: "invalid",
        title: "Invalid",
        detail: "Two fields are wrong.",
        errors,
        requestId: "night-train-7",
      },
    );
  });

  test("has the seconds of Retry-After", () => {
    assert.equal(problem(429, { "Retry-After": "12" }, "").retryAfter, 12);
    assert.equal(problem(429, {}, "").retryAfter, 0);
    assert.equal(problem(503, { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" }, "").retryAfter, 0);
  });

  for (const [status, slug] of /** @type {[number, string][]} */ ([
    [502, "unavailable"],
    [503, "unavailable"],
    [504, "unavailable"],
    [500, "internal-error"],
  ])) {
    test(`of a load balancer's own ${status} is "${slug}"`, () => {
      assert.equal(problem(status, { "Content-Type": "text/html" }, "<h1>Error</h1>").slug, slug);
    });
  }

  for (const [status, outage] of /** @type {[number, boolean][]} */ ([
    [0, true],
    [502, true],
    [503, true],
    [504, true],
    [500, false],
    [429, false],
    [404, false],
  ])) {
    test(`with status ${status} is ${outage ? "an" : "no"} outage`, () => {
      assert.equal(new Problem({ status, slug: "x" }).isOutage, outage);
    });
  }

  test("is created from a body that is not JSON, too", () => {
    assert.throws(() => parse("<h1>Welcome to nginx!</h1>"), { status: 502, slug: "unavailable" });
  });
});

describe("the delay before the next try", () => {
  const outage = new Problem({ status: 503, slug: "unavailable", retryAfter: 60 });

  test("doubles with each try, up to eight seconds", () => {
    const delays = [0, 1, 2, 3, 4, 5, 20].map((attempt) => retryDelay(outage, attempt, () => 0.5));
    assert.deepEqual(delays, [0.5, 1, 2, 4, 8, 8, 8]);
  });

  test("varies by a quarter, so that visitors do not come back at the same moment", () => {
    assert.equal(
      retryDelay(outage, 2, () => 0),
      1.5,
    );
    assert.equal(
      retryDelay(outage, 2, () => 1),
      2.5,
    );
  });

  test("is the value of Retry-After after a 429, or one second without it", () => {
    assert.equal(retryDelay(new Problem({ status: 429, slug: "x", retryAfter: 30 }), 5), 30);
    assert.equal(retryDelay(new Problem({ status: 429, slug: "x" }), 5), 1);
  });
});
