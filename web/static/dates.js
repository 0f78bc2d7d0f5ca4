// Moments, in the reader's zone and language.
import { h } from "./dom.js";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A moment as a `<time>`: near ones told from now and kept true, far ones as a date. */
export function time(iso) {
  const moment = new Date(iso);
  return h("time", { datetime: iso, title: full.format(moment) }, relativeDate(moment));
}

/** A moment, in full. */
export function fullDate(iso) {
  return full.format(new Date(iso));
}

/** Tell all moments on the page anew, now and then. */
export function keepTimesCurrent() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time")) {
      const text = relativeDate(new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }, 30_000);
}

function relativeDate(moment) {
  const ago = moment - Date.now();
  if (ago > -45_000) return relative.format(0, "second");
  if (ago > -55 * MINUTE) return relative.format(Math.round(ago / MINUTE), "minute");
  if (ago > -22 * HOUR) return relative.format(Math.round(ago / HOUR), "hour");
  if (ago > -7 * DAY) return relative.format(Math.round(ago / DAY), "day");
  const thisYear = moment.getFullYear() === new Date().getFullYear();
  return (thisYear ? day : dayOfYear).format(moment);
}
