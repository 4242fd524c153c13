/** Which pages may talk to this server: its own, and those that the operator names. */

/** `ORIGINS=https://play.example.org,https://…` for a proxy that changes the Host header. */
export function parseOrigins(list: string | undefined): ReadonlySet<string> {
  return new Set(
    (list ?? '')
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  );
}

/**
 * A browser always names the page's origin on sockets and on POST; programs that are no browser name none and are let in,
 * as they could name any.
 */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (origin === undefined || allowed.has(origin)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  return (page.protocol === 'http:' || page.protocol === 'https:') && page.host === host.toLowerCase();
}
