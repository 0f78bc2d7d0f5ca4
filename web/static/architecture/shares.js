// The configured shares, which the load balancer publishes where processes are named.

/** The shares, or null if this deployment does not publish them. Not in the log of requests: the page asks every
 * two seconds.
 * @returns {Promise<Page.Shares | null>} */
export async function readShares() {
  try {
    const response = await fetch("/shares.json", { cache: "no-store", headers: { Accept: "application/json" } });
    return response.ok ? sharesIn(await response.json()) : null;
  } catch {
    return null;
  }
}

/** The numbers from 0 to 100 of an object.
 * @param {unknown} found
 * @returns {Page.Shares | null} */
export function sharesIn(found) {
  if (typeof found !== "object" || found === null) return null;
  const shares = Object.entries(found).filter(([, share]) => typeof share === "number" && share >= 0 && share <= 100);
  return shares.length > 0 ? Object.fromEntries(shares) : null;
}
