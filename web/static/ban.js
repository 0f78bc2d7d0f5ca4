// A ban in words.
import { fullDate } from "./dates.js";
import { h } from "./dom.js";
import { t } from "./text.js";

/** @param {string} beginning "Banned", say
 * @param {Api.Ban} ban
 * @returns {(string | HTMLElement)[]} */
export function describeBan(beginning, { reason, until }) {
  const end = until === null ? t("for-good") : `${t("until")} ${fullDate(until)}`;
  return [`${beginning} ${end}: `, h("bdi", {}, reason)];
}
