// Explains a kind of problem, and what to do about it: the page at the address in a problem's `type`.
import { h } from "../dom.js";
import { show as showNotFound } from "./not-found.js";
import { page } from "../router.js";
import { addTexts, hasText, t } from "../text.js";
import problems from "../text/en-problems.js";

/** @param {Page.Visit} visit
 * @param {string} slug */
export function show(visit, slug) {
  addTexts(problems);
  if (!hasText(`problem:${slug}`)) return showNotFound(visit);
  const title = t(`problem:${slug}`);
  visit.title(title);
  return page(
    title,
    h("p", { class: "meta" }, h("code", {}, `/problems/${slug}`)),
    h("h2", { class: "section" }, t("what-happened")),
    h("p", {}, t(`problem:${slug}:what`)),
    h("h2", { class: "section" }, t("what-to-do")),
    h("p", {}, t(`problem:${slug}:do`)),
    h("p", { class: "quiet-text" }, t("problem-details")),
  );
}
