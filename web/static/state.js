// The state that all parts of the page share: the session, the pending posts, what was read.
import { PanelSwitch } from "./architecture/switch.js";
import { ask, pause } from "./http.js";
import { Outbox } from "./outbox.js";
import { Preference } from "./preference.js";
import { ReadPositions } from "./read-positions.js";
import { Session } from "./session.js";
import * as storage from "./storage.js";
import { cacheUser } from "./users.js";

export const session = new Session({
  storage,
  ask,
  cacheUser,
  askToSignIn: async (ended) => (await import("./views/account.js")).askToSignIn(ended),
});

export const outbox = new Outbox({ session, storage, ask, pause });

export const reading = new ReadPositions({ session, storage, ask });

export const panelSwitch = new PanelSwitch({ storage });

/** Whether keys are shortcuts. */
export const shortcuts = new Preference({ storage, name: "shortcuts", initially: true });

/** Whether there are buttons for Markdown above the text that somebody writes. */
export const toolbar = new Preference({ storage, name: "toolbar" });
