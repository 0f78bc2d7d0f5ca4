// What moderators and admins did, for moderators.
import { actList } from "../moderation/acts.js";
import { h } from "../dom.js";
import { page } from "../router.js";
import { session } from "../state.js";
import { t } from "../text.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("moderation-log"));
  if (!session.isModerator) return page(t("moderation-log"), h("p", {}, t("for-moderators")));
  return page(t("moderation-log"), actList("moderation-log", visit.signal));
}
