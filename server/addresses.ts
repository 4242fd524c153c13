/** Where people find the server: the addresses of this machine, and a QR code of the one that a class can reach. */
import { networkInterfaces } from 'node:os';
import { renderUnicodeCompact } from 'uqr';

const EVERYWHERE = new Set(['0.0.0.0', '::', '']);

/** Where others in the same network find a server that listens on `host` (IPv4); nowhere, when it listens to this machine alone. */
export function lanOrigins(host: string, port: number): string[] {
  if (!EVERYWHERE.has(host)) return [];
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === 'IPv4' && !entry.internal)
    .map((entry) => `http://${entry.address}:${port}`);
}

/** The lines that a person sees when the server is up. */
export function welcomeLines(host: string, port: number): string[] {
  const here = `http://localhost:${port}`;
  const lan = lanOrigins(host, port);
  const own = EVERYWHERE.has(host) || host === '127.0.0.1' || host === 'localhost' ? here : `http://${host}:${port}`;
  const lines = ['', `  Overcommit is up.  Teachers: ${own}/host`, '', `  this machine   ${own}`];
  for (const origin of lan) lines.push(`  the network    ${origin}`);
  lines.push('', renderUnicodeCompact(lan[0] ?? own, { border: 2 }), '');
  return lines;
}
