// Signing in, registering, and setting a new password: their pages, and the dialog for signing in.
import { h } from "../dom.js";
import { dialog, field, form } from "../forms.js";
import { ask } from "../http.js";
import { navigate } from "../navigation.js";
import { showMessage } from "../notices.js";
import { page } from "../router.js";
import { session } from "../state.js";
import { t } from "../text.js";

/** @param {Page.Visit} visit */
export function showSignIn(visit) {
  visit.title(t("sign-in"));
  const back = placeToReturnTo(visit.address);
  return page(
    t("sign-in"),
    signInForm(() => navigate(back)),
    h("p", {}, t("no-account"), " ", h("a", { href: `/register?back=${encodeURIComponent(back)}` }, t("register"))),
  );
}

/** @param {Page.Visit} visit */
export function showRegister(visit) {
  visit.title(t("register"));
  const back = placeToReturnTo(visit.address);
  const fields = [
    field(
      "username",
      t("username"),
      {
        autocomplete: "username",
        maxlength: "20",
        autocapitalize: "none",
        spellcheck: "false",
        required: true,
        autofocus: true,
      },
      t("username-hint"),
    ),
    field(
      "password",
      t("password"),
      { type: "password", autocomplete: "new-password", maxlength: "128", required: true },
      t("password-hint"),
    ),
    field("name", t("name-shown"), { autocomplete: "name", maxlength: "60" }, t("name-hint")),
  ];
  /** @param {Record<string, string>} values */
  const send = async ({ username, password, name }) => {
    await ask("POST", "/api/users", { body: { username, password, ...(name.trim() ? { name } : {}) } });
    await session.signIn(username, password);
    navigate(back);
    showMessage(t("welcome", { name: name.trim() || username }));
  };
  return page(
    t("register"),
    form({ fields, button: t("register"), send }),
    h("p", {}, t("have-account"), " ", h("a", { href: `/signin?back=${encodeURIComponent(back)}` }, t("sign-in"))),
  );
}

let resetToken = "";

/** The token of the link is in the fragment, which browsers send to nobody. It leaves the address, too,
 * so that it is in no history.
 * @param {Page.Visit} visit */
export function showReset(visit) {
  if (location.hash) {
    resetToken = location.hash.slice(1);
    history.replaceState(history.state, "", location.pathname);
  }
  visit.title(t("new-password"));
  const fields = [
    field(
      "password",
      t("new-password"),
      { type: "password", autocomplete: "new-password", maxlength: "128", required: true, autofocus: true },
      t("password-hint"),
    ),
  ];
  return page(t("new-password"), form({ fields, button: t("set-password"), send: sendNewPassword }));
}

/** @param {Record<string, string>} values */
async function sendNewPassword({ password }) {
  await ask("POST", "/api/users/password-resets", { body: { token: resetToken, password } });
  session.set(null);
  navigate("/signin");
  showMessage(t("password-changed"));
}

/** Ask the visitor to sign in, in a dialog. Returns whether they did.
 * @param {boolean} ended whether their session has ended */
export async function askToSignIn(ended) {
  const done = await dialog(t(ended ? "session-ended" : "sign-in"), (close) =>
    h(
      "div",
      {},
      h("p", {}, t(ended ? "session-ended-why" : "sign-in-to-go-on")),
      signInForm(() => close(true)),
      h(
        "p",
        {},
        t("no-account"),
        " ",
        h(
          "a",
          {
            href: `/register?back=${encodeURIComponent(location.pathname + location.search)}`,
            onclick: () => close(null),
          },
          t("register"),
        ),
      ),
    ),
  );
  return done === true;
}

/** @param {() => void} done */
function signInForm(done) {
  const fields = [
    field("username", t("username"), {
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
      required: true,
      autofocus: true,
    }),
    field("password", t("password"), { type: "password", autocomplete: "current-password", required: true }),
  ];
  /** @param {Record<string, string>} values */
  const send = async ({ username, password }) => {
    await session.signIn(username, password);
    done();
  };
  return form({ fields, button: t("sign-in"), send });
}

/** @param {URL} address */
function placeToReturnTo(address) {
  const back = new URL(address.searchParams.get("back") ?? "/", location.origin);
  // Only an address of this board: a link must not take people to another site after they signed in.
  return back.origin === location.origin ? back.pathname + back.search : "/";
}
