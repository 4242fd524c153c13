/**
 * `npm run -s forget -- CODE|ROUND`: deletes the rooms of a code with their people and rounds, or one round, from the disk.
 * For a server that is not running; in one that is, the host forgets the room.
 */
import { dataFolder } from '../folder.ts';
import { forgetRoom, forgetStep } from '../store/retention.ts';
import { findRound, forgetRound } from '../store/rounds.ts';
import { FolderInUse, holdFolder } from '../store/lock.ts';
import type { Store } from '../store/Store.ts';
import { codeOrId, Mistake, runTool, withStore } from './rounds.ts';

function forget(store: Store, name: string): string {
  const rooms = store.all(store.db.selectFrom('rooms').select('key').where('code', '=', name));
  for (const { key } of rooms) forgetRoom(store, key);
  // Marked rooms are of the year 1970.
  if (rooms.length > 0) while (forgetStep(store, 1));
  if (rooms.length > 0) return `forgotten: ${rooms.length === 1 ? 'the room' : `${rooms.length} rooms`} ${name}`;
  const round = findRound(store, name);
  if (round === null) throw new Mistake(`no room and no round ${name}`);
  forgetRound(store, round.key);
  return `forgotten: the round ${name}`;
}

await runTool(async () => {
  const [name, ...more] = process.argv.slice(2);
  if (name === undefined || more.length > 0) throw new Mistake('usage: npm run -s forget -- CODE|ROUND', 2);
  try {
    const letGo = holdFolder(dataFolder());
    console.log(await withStore((store) => forget(store, codeOrId(name))));
    letGo();
  } catch (error) {
    if (error instanceof FolderInUse) throw new Mistake(`${error.message} Stop it first, or let the host forget the room.`);
    throw error;
  }
});
