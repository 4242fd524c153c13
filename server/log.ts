/** Structured logs on standard output. Never a name of a person, a secret or an address of a device. */
import { pino, type DestinationStream, type Logger } from 'pino';

export type { DestinationStream, Logger };

/** `to`: elsewhere than standard output. */
export function createLog(level: string, to?: DestinationStream): Logger {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  return to === undefined ? pino(options) : pino(options, to);
}
