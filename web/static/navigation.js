// Navigation to another address of the board, for modules that do not import the router.

/** @type {{go(address: string, options?: {replace?: boolean}): Promise<void>} | null} */
let router = null;

/** Set the router, once, when the page starts.
 * @param {NonNullable<typeof router>} started */
export function setRouter(started) {
  router = started;
}

/** Go to an address of the board.
 * @param {string} address
 * @param {{replace?: boolean}} [options] */
export async function navigate(address, options) {
  await router?.go(address, options);
}
