import { CreateScreen } from './CreateScreen.tsx';
import { RoomScreen } from './RoomScreen.tsx';

/** A teacher's door: `/host` makes a room, `/host/CODE` is its console for the device that made it. */
export function HostDoor({ code }: { code: string }) {
  return code === '' ? <CreateScreen /> : <RoomScreen code={code} role="host" />;
}
