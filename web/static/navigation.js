// Going to another place of the board, for those who do not know the router.

let router = null;

/** Who knows how to go. Given once, when the page starts. */
export function setRouter(found) {
  router = found;
}

/** Go to an address of the board. */
export function navigate(address, options) {
  return router.go(address, options);
}
