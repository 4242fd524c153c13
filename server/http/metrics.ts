/**
 * `/metrics` for Prometheus. It is for the operator: from the server's own machine, or with METRICS_TOKEN as a bearer token.
 * Everybody else finds nothing at this address.
 */
import type { Request, RequestHandler } from 'express';
import type { Code } from '#protocol/codes.ts';
import type { Metrics } from '../metrics.ts';
import { digestOf, sameDigest } from '../secrets.ts';
import { refuse } from './refuse.ts';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** A proxy on this machine comes from here too, and says for whom. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

export function showMetrics(metrics: Metrics, token: string | undefined): RequestHandler {
  const digest = token === undefined || token === '' ? null : digestOf(token);
  return async (request, response) => {
    if (!isHere(request) && !hasToken(request, digest)) return refuse(response, 'NOT_FOUND');
    const text = await metrics.registry.metrics();
    response.set({ 'Content-Type': metrics.registry.contentType, 'Cache-Control': 'no-store' }).send(text);
  };
}

/** Counts answers and refusals. */
export function countAnswers(metrics: Metrics): RequestHandler {
  return (_request, response, next) => {
    response.on('finish', () => {
      metrics.answered(response.statusCode);
      const code = response.locals['code'] as Code | undefined;
      if (code !== undefined) metrics.refused(code);
    });
    next();
  };
}

function isHere(request: Request): boolean {
  return LOOPBACK.test(request.socket.remoteAddress ?? '') && FORWARDED.every((name) => request.headers[name] === undefined);
}

function hasToken(request: Request, digest: string | null): boolean {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return digest !== null && given !== undefined && sameDigest(digestOf(given), digest);
}
