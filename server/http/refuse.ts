/** Refusals over HTTP: a code of the closed list with its status and its sentence, as JSON, always. */
import type { ErrorRequestHandler, Response } from 'express';
import { CODES, type Code, type HttpRefusal } from '#protocol/codes.ts';
import type { Logger } from '../log.ts';
import { sentenceOf } from '../sentences.ts';

export function refuse(response: Response, code: Code): void {
  // For the metrics.
  response.locals['code'] = code;
  const body: HttpRefusal = { error: code, sentence: sentenceOf(code) };
  response.status(CODES[code]).json(body);
}

/** What express and its body parser throw: `type` is the parser's word for what was wrong. */
export function refuseErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, type } = error as { status?: number; type?: string };
    if (type === 'entity.too.large') return refuse(response, 'TOO_LARGE');
    if (status !== undefined && status >= 400 && status < 500) return refuse(response, 'MALFORMED');
    log.error({ err: error }, 'exception in a request');
    refuse(response, 'INTERNAL');
  };
}
