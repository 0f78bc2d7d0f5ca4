// Formats dates and times in the reader's time zone and language.
import { h } from "./dom.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats for a language; undefined is the reader's. */
export class DateFormat {
  #relative;
  #day;
  #dayAndYear;
  #full;

  /** @param {string} [language] */
  constructor(language) {
    this.#relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    this.#day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
    this.#dayAndYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
    this.#full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });
  }

  /** A time of the last week relative to now, an earlier one as a date.
   * @param {Date} moment */
  short(moment, now = new Date()) {
    const difference = moment.getTime() - now.getTime();
    if (difference > -45_000) return this.#relative.format(0, "second");
    if (difference > -55 * MINUTE) return this.#relative.format(Math.round(difference / MINUTE), "minute");
    if (difference > -22 * HOUR) return this.#relative.format(Math.round(difference / HOUR), "hour");
    if (difference > -7 * DAY) return this.#relative.format(Math.round(difference / DAY), "day");
    const thisYear = moment.getFullYear() === now.getFullYear();
    return (thisYear ? this.#day : this.#dayAndYear).format(moment);
  }

  /** A date and time with weekday and seconds.
   * @param {Date} moment */
  full(moment) {
    return this.#full.format(moment);
  }
}

const format = new DateFormat();

/** A `<time>` element, which `keepTimesCurrent` updates.
 * @param {string} iso */
export function time(iso) {
  const moment = new Date(iso);
  return h("time", { datetime: iso, title: format.full(moment) }, format.short(moment));
}

/** Show the times of a part of the page, which the server shows in UTC, as this reader writes them.
 * @param {ParentNode} part */
export function localize(part) {
  for (const element of part.querySelectorAll("time")) {
    const moment = new Date(element.dateTime);
    element.title = format.full(moment);
    element.textContent = format.short(moment);
  }
  for (const element of part.querySelectorAll(".edited")) {
    element.setAttribute("title", fullDate(element.getAttribute("data-at") ?? ""));
  }
}

/** A date and time with weekday and seconds.
 * @param {string} iso */
export function fullDate(iso) {
  return format.full(new Date(iso));
}

/** Update every `<time>` of the page regularly: "1 minute ago" does not stay true. */
export function keepTimesCurrent() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time")) {
      const text = format.short(new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }, 30_000);
}
