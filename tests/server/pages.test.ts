/** The built client's files: types, compression, caching, and nothing outside their folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servePages } from '../../server/http/pages.ts';

const SCRIPT = 'export const answer = 42;\n'.repeat(100);
const HTML = '<!doctype html><title>Overcommit</title>';
let folder: string;
let server: Server;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pages-'));
  const client = join(folder, 'client');
  mkdirSync(join(client, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(client, 'index.html'), HTML);
  writeFileSync(join(client, 'assets', 'main-a1B2c3D4.js'), SCRIPT);
  writeFileSync(join(client, 'assets', 'map-a1B2c3D4.png'), Buffer.alloc(5000));
  const app = express();
  app.use(servePages(client));
  app.use((_request, response) => void response.status(404).end());
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** The body as sent: fetch would unpack it. */
async function raw(path: string, encoding: string) {
  const { request } = await import('node:http');
  return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve) => {
    request(url + path, { headers: { 'accept-encoding': encoding } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    }).end();
  });
}

test('pages are the one page, and ask again each time', async () => {
  for (const path of ['/', '/host', '/host/ABC123', '/j/ABC123', '/watch/ABC123', '/screen/ABC123', '/?code=1']) {
    const page = await fetch(url + path);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(await page.text()).toBe(HTML);
    const again = await fetch(url + path, { headers: { 'if-none-match': page.headers.get('etag')! } });
    expect(again.status).toBe(304);
  }
});

test('files with a hash in their name are kept for ever, and compressed', async () => {
  const path = '/assets/main-a1B2c3D4.js';
  const br = await raw(path, 'gzip, br');
  expect(br.headers).toMatchObject({
    'content-encoding': 'br',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'Accept-Encoding',
  });
  expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT);
  const gz = await raw(path, 'gzip');
  expect(gunzipSync(gz.body).toString()).toBe(SCRIPT);
  expect(gz.body.length).toBeLessThan(SCRIPT.length / 10);
  const plain = await raw(path, 'identity');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.body.toString()).toBe(SCRIPT);
});

test('pictures are not compressed again', async () => {
  expect((await raw('/assets/map-a1B2c3D4.png', 'br')).headers).toMatchObject({ 'content-type': 'image/png', 'content-length': '5000' });
});

test('HEAD has the headers and no body', async () => {
  const head = await fetch(`${url}/assets/map-a1B2c3D4.png`, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe('5000');
  expect((await head.arrayBuffer()).byteLength).toBe(0);
});

test.each([
  '/secret.txt',
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/assets/',
  '/assets',
  '/index.htm',
  '/j/',
  '/j/a/b',
  '/host/a/b',
  '/screen/',
  '/screen/a/b',
])('%s is not there', async (path) => {
  expect((await fetch(url + path)).status).toBe(404);
});

test('without a built client the pages say how to build it', async () => {
  const app = express();
  app.use(servePages(join(folder, 'nothing')));
  const empty = createServer(app);
  await new Promise<void>((resolve) => empty.listen(0, '127.0.0.1', resolve));
  const page = await fetch(`http://127.0.0.1:${(empty.address() as AddressInfo).port}/`);
  expect(page.status).toBe(503);
  expect(await page.text()).toContain('npm run build');
  empty.close();
});
