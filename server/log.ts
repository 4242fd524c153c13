/** Structured logs on standard output. Never a name of a person, a secret or an address of a device. */
import { pino, type Logger } from 'pino';

export type { Logger };

export function createLog(level: string): Logger {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
}
