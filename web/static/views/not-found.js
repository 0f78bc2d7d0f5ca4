// The page for an address that does not exist.
import { h } from "../dom.js";
import { page } from "../router.js";
import { t } from "../text.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("not-found"));
  return page(t("not-found"), h("p", {}, t("not-found-why")), h("p", {}, h("a", { href: "/" }, t("to-the-threads"))));
}
