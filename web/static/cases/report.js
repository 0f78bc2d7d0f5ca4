// The dialog in which a post is reported to the moderators.
import { h } from "../dom.js";
import { dialog, field, form } from "../forms.js";
import { ask } from "../http.js";
import { showMessage } from "../notices.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { choices } from "./choices.js";

/** @type {Api.ReportReason[]} */
const REASONS = ["spam", "abuse", "off-topic", "other"];

/** Ask for a reason and a note, and report the post.
 * @param {Page.ShownPost} post */
export async function reportPost(post) {
  if (!(await session.ensure())) return;
  // The same for every attempt of this dialog: a report that is sent again counts once.
  const key = crypto.randomUUID();
  const done = await dialog(t("report-post"), (close) =>
    h(
      "div",
      {},
      h("p", {}, t("report-hint")),
      form({
        fields: [
          choices(
            "reason",
            t("report-reason"),
            REASONS.map((reason) => [reason, t(`reason-${reason}`)]),
            REASONS[0],
          ),
          field("note", t("report-note"), { multiline: true, rows: "3", maxlength: "1000" }),
        ],
        button: t("report"),
        send: async ({ reason, note = "" }) => {
          const body = { post: post.id, reason, ...(note.trim() ? { note: note.trim() } : {}) };
          const headers = { "Idempotency-Key": key };
          if (await session.run(() => ask("POST", "/api/cases", { body, headers }))) close(true);
        },
      }),
    ),
  );
  if (done) showMessage(t("reported"));
}
