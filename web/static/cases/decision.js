// The form with which a moderator decides a case.
import { field, form } from "../forms.js";
import { ask } from "../http.js";
import { showMessage } from "../notices.js";
import { Problem } from "../problem.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { choices } from "./choices.js";

/** @type {Api.CaseAction[]} */
const ACTIONS = ["remove-post", "lock-thread", "ban-author", "none"];
const UNRESOLVED = "unresolved";

/** `version` returns the entity tag of the case that is shown. `decided` is called with the case after the
 * decision; `changed` reads the case again, and resolves to whether somebody else has changed it.
 * @param {{id: number, tier: number, version: () => string, decided: (answer: Page.Answer<Api.Case>) => void,
 *   changed: () => Promise<boolean>}} parts */
export function decisionForm({ id, tier, version, decided, changed }) {
  /** @type {[string, string][]} */
  const actions = ACTIONS.map((action) => [action, t(`decide-${action}`)]);
  return form({
    fields: [
      choices("action", t("decide-what"), [
        ...actions,
        [UNRESOLVED, t(tier === 1 ? "decide-escalate" : "decide-escalate-again")],
      ]),
      field("note", t("decide-note"), { maxlength: "500" }, t("decide-note-hint")),
    ],
    button: t("decide"),
    send: async ({ action, note = "" }) => {
      if (action === undefined) throw nothingChosen();
      const resolved = action !== UNRESOLVED;
      const body = {
        resolved,
        action: resolved ? action : "none",
        ...(note.trim() ? { note: note.trim() } : {}),
      };
      const headers = { "If-Match": version() };
      try {
        /** @type {Page.Answer<Api.Case> | null} */
        const answer = await session.run(() => ask("PUT", `/api/cases/${id}/decision`, { body, headers }));
        if (!answer) return;
        decided(answer);
        showMessage(t("decision-sent"));
      } catch (problem) {
        // A case that was escalated meanwhile is refused with 403.
        if (!(problem instanceof Problem) || ![403, 409, 412].includes(problem.status)) throw problem;
        if (!(await changed())) throw problem;
      }
    },
  });
}

/** Nothing is selected at first: no decision is made by mistake. */
function nothingChosen() {
  return new Problem({ status: 422, slug: "invalid", errors: [{ pointer: "/action", detail: t("decide-choose") }] });
}
