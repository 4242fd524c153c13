/**
 * The built client. All files are known when the server starts, so that no path is ever made of what was asked for; each
 * is compressed once, when it is first asked for.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';

/** Addresses that are pages of the single-page app. */
const PAGES = [/^\/$/, /^\/host(\/[^/]{1,40})?\/?$/, /^\/(j|watch|screen)\/[^/]{1,40}\/?$/, /^\/replay(\/[^/]{1,40})?\/?$/];
/** File names with a hash of their content never change. */
const HASHED = /^\/assets\/.+-[\w-]{8}\.\w+$/;
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.txt': 'text/plain; charset=utf-8',
};
/** Formats that are compressed already. */
const DENSE = new Set(['.png', '.jpg', '.webp', '.woff', '.woff2']);
const SMALL_BYTES = 600;
/** 0 to 11: 6 compresses the largest file of the client in a tenth of a second, for a few percent more bytes than 11. */
const BROTLI_QUALITY = 6;

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

interface Page {
  type: string;
  etag: string;
  cache: string;
  plain: Buffer;
  br: () => Promise<Buffer>;
  gzip: () => Promise<Buffer>;
}

/** Answers GET and HEAD of pages and files; hands on what is neither. `folder` may be missing: then the pages say so. */
export function servePages(folder: string): RequestHandler {
  const files = readPages(folder);
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const isPage = PAGES.some((page) => page.test(request.path));
    const file = files.get(isPage ? '/index.html' : request.path);
    if (file !== undefined) return send(request, response, file).catch(next);
    if (!isPage) return next();
    response.status(503).type('text/plain').send('The client is not built yet. Run: npm run build\n');
  };
}

async function send(request: Request, response: Response, file: Page): Promise<void> {
  response.set({ ETag: file.etag, 'Cache-Control': file.cache, Vary: 'Accept-Encoding' });
  if (request.headers['if-none-match'] === file.etag) {
    response.status(304).end();
    return;
  }
  // Browsers name gzip first, and mean no order by it.
  const encoding = request.acceptsEncodings('br') || request.acceptsEncodings('gzip');
  let body = file.plain;
  if (encoding === 'br' || encoding === 'gzip') {
    const dense = await file[encoding]();
    if (dense !== file.plain) {
      response.set('Content-Encoding', encoding);
      body = dense;
    }
  }
  response.set({ 'Content-Type': file.type, 'Content-Length': String(body.length) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function readPages(folder: string): Map<string, Page> {
  const files = new Map<string, Page>();
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
  } catch {
    return files;
  }
  for (const name of names) {
    const path = name.replaceAll(sep, '/');
    files.set(path.startsWith('/') ? path : `/${path}`, readPage(join(folder, name), path));
  }
  return files;
}

function readPage(file: string, path: string): Page {
  const plain = readFileSync(file);
  const extension = extname(path);
  const dense = DENSE.has(extension) || plain.length < SMALL_BYTES;
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 20)}"`,
    cache: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    plain,
    br: once(async () => (dense ? plain : brotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }))),
    gzip: once(async () => (dense ? plain : zip(plain))),
  };
}

function once(make: () => Promise<Buffer>): () => Promise<Buffer> {
  let made: Promise<Buffer> | null = null;
  return () => (made ??= make());
}
