// The dialog in which a moderator gives a reason.
import { dialog, field, form } from "../forms.js";
import { ask } from "../http.js";
import { session } from "../state.js";
import { t } from "../text.js";

/** Ask a moderator for a reason, which the author reads, and send it. Resolves to whether it was done.
 * @param {string} title
 * @param {string} button
 * @param {string} path the API path of the PUT */
export async function giveReason(title, button, path) {
  const done = await dialog(title, (close) =>
    form({
      fields: [field("reason", t("reason"), { maxlength: "500" }, t("reason-hint"))],
      button,
      dangerous: true,
      send: async ({ reason }) => {
        const body = reason.trim() ? { reason } : {};
        if (await session.run(() => ask("PUT", path, { body }))) close(true);
      },
    }),
  );
  return done === true;
}
