/** A room of nothing: whether it can be made says whether rooms can. */
import { schema } from '@colyseus/schema';
import { SafeRoom } from './SafeRoom.ts';

export const PROBE = 'probe';

const Nothing = schema({}, 'Nothing');

export class ProbeRoom extends SafeRoom<InstanceType<typeof Nothing>> {
  override state = new Nothing();
  override maxClients = 0;

  override onUncaughtException(error: unknown): void {
    throw error;
  }
}
