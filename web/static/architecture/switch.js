// Whether this device shows the panel: a setting, and `?architecture=on` or `off` in any address.
import { Preference } from "../preference.js";

const NAME = "architecture";

export class PanelSwitch extends Preference {
  /** @param {{storage: Page.Storage}} parts */
  constructor({ storage }) {
    super({ storage, name: NAME });
  }

  /** Do what the address asks for. Returns the address without the parameter, or null if it has none.
   * @param {URL} address */
  obey(address) {
    const wish = address.searchParams.get(NAME);
    if (wish === null) return null;
    if (wish === "on" || wish === "off") this.turn(wish === "on");
    const rest = new URL(address);
    rest.searchParams.delete(NAME);
    return rest;
  }
}
