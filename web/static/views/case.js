// A case: the post, its reports, the decision, and what happened so far.
import { decisionForm } from "../cases/decision.js";
import { caseWay, statesOf } from "../cases/way.js";
import { decisionText, eventText, hasEnded, isUnderWay, stateLabel } from "../cases/words.js";
import { time } from "../dates.js";
import { h } from "../dom.js";
import { ask, get, pause, retryWhileDown, settled } from "../http.js";
import { describeProblem, loading } from "../notices.js";
import { postElement } from "../post.js";
import { Problem } from "../problem.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { known, userLink } from "../users.js";

/** Seconds between two looks at a case that changes by itself. */
const AGAIN = 1;

/** @param {Page.Visit} visit
 * @param {string} id */
export function show(visit, id) {
  const view = new CaseView(visit, Number(id));
  view.start();
  return view.element;
}

class CaseView {
  #visit;
  #id;
  /** The entity tag of the case that is shown. */
  #version = "";
  #head = h("div", {}, h("p", {}, loading()));
  #changed = h("p", { class: "changed", role: "alert" });
  #post = h("section", { hidden: true });
  #reports = h("section", {});
  #decision = h("section", { class: "settings-part", hidden: true });
  #history = h("section", {});
  /** @type {number | null} */
  #tier = null;

  /** @param {Page.Visit} visit
   * @param {number} id */
  constructor(visit, id) {
    this.#visit = visit;
    this.#id = id;
    const title = t("case-number", { number: String(id) });
    visit.title(title);
    this.element = h(
      "div",
      { class: "page case" },
      h("p", {}, h("a", { href: "/moderation/cases" }, t("cases"))),
      h("h1", {}, title),
      this.#head,
      this.#changed,
      this.#post,
      this.#reports,
      this.#decision,
      this.#history,
    );
  }

  async start() {
    if (!session.isModerator) {
      this.#head.replaceChildren(h("p", {}, t("for-moderators")));
      return;
    }
    const { signal } = this.#visit;
    try {
      const answer = await this.#ask();
      if (answer === null) return;
      const found = answer.data;
      const posted = this.#drawPost(found);
      await Promise.all([settled(posted), known([found.assignee, found.author, ...found.reporters])]);
      this.#draw(answer);
      await posted;
      for (let now = found; isUnderWay(now);) {
        await pause(AGAIN, signal);
        now = (await this.#read()) ?? now;
      }
    } catch (problem) {
      this.#fail(problem);
    }
  }

  /** Read the case and draw it. */
  async #read() {
    const answer = await this.#ask();
    return answer && this.#draw(answer);
  }

  /** @returns {Promise<Page.Answer<Api.Case> | null>} */
  #ask() {
    const { signal } = this.#visit;
    return session.run(() => retryWhileDown(() => ask("GET", `/api/cases/${this.#id}`, { signal }), signal));
  }

  /** @param {unknown} problem */
  #fail(problem) {
    if (this.#visit.signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 404) return this.#visit.notFound();
    this.#head.replaceChildren(h("p", { class: "failure", role: "alert" }, describeProblem(problem)));
  }

  /** @param {Page.Answer<Api.Case>} answer */
  #draw({ data: found, headers }) {
    this.#version = headers.get("ETag") ?? "";
    this.#head.replaceChildren(
      h(
        "p",
        { class: "meta" },
        stateLabel(found.state),
        " · ",
        t("tier", { tier: found.tier }),
        found.assignee !== null && [" · ", t("assigned-to"), " ", userLink(found.assignee)],
        " · ",
        time(found.createdAt),
      ),
      found.decision ? h("p", { class: "decision" }, ...sentence(found.decision)) : "",
    );
    this.#post.hidden = false;
    this.#drawReports(found);
    this.#drawDecision(found);
    this.#history.replaceChildren(
      h("h2", { class: "section" }, t("case-history")),
      h("ol", { class: "case-history" }, found.history.map(eventRow)),
      h("p", { class: "quiet-text" }, found.message),
      caseWay(statesOf(found.history), t("case-way")),
    );
    return found;
  }

  /** @param {Api.Case} found */
  async #drawPost(found) {
    const [post, thread] = await Promise.all([
      orGone(/** @type {Promise<Api.Post>} */ (get(`/api/posts/${found.post}`))),
      orGone(/** @type {Promise<Api.Thread>} */ (get(`/api/threads/${found.thread}`))),
    ]);
    this.#post.replaceChildren(
      h("h2", { class: "section" }, t("case-post")),
      thread
        ? h(
            "p",
            {},
            t("case-thread"),
            " ",
            h("a", { href: `/threads/${thread.id}#post-${found.post}`, dir: "auto" }, thread.title),
          )
        : "",
      post
        ? postElement(post)
        : h("p", {}, t("case-post-gone"), " ", h("a", { href: `/threads/${found.thread}` }, t("go-to-thread"))),
    );
  }

  /** @param {Api.Case} found */
  #drawReports({ reason, note, reporters }) {
    this.#reports.replaceChildren(
      h("h2", { class: "section" }, t("reports", { count: reporters.length })),
      h("p", {}, h("strong", {}, t(`reason-${reason}`)), note && [": ", h("span", { dir: "auto" }, note)]),
      h(
        "p",
        { class: "meta" },
        t("reported-by"),
        " ",
        reporters.flatMap((id, index) => (index ? [", ", userLink(id)] : [userLink(id)])),
      ),
    );
  }

  /** Keeps the form, and what was entered, while the case stays with the same tier.
   * @param {Api.Case} found */
  #drawDecision(found) {
    this.#decision.hidden = false;
    const why = this.#whyNot(found);
    if (why !== null) {
      this.#tier = null;
      this.#decision.replaceChildren(h("h2", {}, t("decision")), h("p", {}, why));
      return;
    }
    if (this.#tier === found.tier) return;
    this.#tier = found.tier;
    this.#decision.replaceChildren(
      h("h2", {}, t("decision")),
      decisionForm({
        id: this.#id,
        tier: found.tier,
        version: () => this.#version,
        decided: (answer) => {
          this.#changed.textContent = "";
          this.#draw(answer);
          this.#follow();
        },
        changed: async () => {
          const before = this.#version;
          await this.#read();
          if (this.#version === before) return false;
          this.#changed.textContent = t("case-changed");
          return true;
        },
      }),
    );
  }

  /** Why the visitor cannot decide this case now; null if they can.
   * @param {Api.Case} found */
  #whyNot(found) {
    if (hasEnded(found)) return t(`case-is-${found.state}`);
    if (found.author === session.user?.id) return t("case-is-yours");
    if (isUnderWay(found)) return t("case-is-under-way");
    return found.tier > 1 && !session.isAdmin ? t("case-is-for-admins") : null;
  }

  /** Show what becomes of the decision. */
  async #follow() {
    try {
      for (let found = null; found === null || isUnderWay(found);) {
        await pause(AGAIN, this.#visit.signal);
        found = await this.#read();
      }
    } catch (problem) {
      this.#fail(problem);
    }
  }
}

/** Null for what has been deleted.
 * @template Resource
 * @param {Promise<Resource>} promise
 * @returns {Promise<Resource | null>} */
async function orGone(promise) {
  try {
    return await promise;
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) return null;
    throw problem;
  }
}

/** @param {Api.Decision} decision
 * @returns {Page.Child[]} */
function sentence(decision) {
  return [
    decisionText(decision),
    " ",
    t("by"),
    " ",
    userLink(decision.by),
    " · ",
    time(decision.at),
    decision.note && [": ", h("q", { dir: "auto" }, decision.note)],
  ];
}

/** @param {Api.Event} event */
function eventRow(event) {
  return h("li", {}, eventText(event), event.by !== null && [" · ", userLink(event.by)], " · ", time(event.at));
}
