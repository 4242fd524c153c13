/** One server a data folder: two would write the same rooms. The operating system lets go when the process ends, however it ends. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY. */
const BUSY = 5;

export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';

  constructor(folder: string) {
    super(`Another server uses the folder ${folder} already.`);
  }
}

/** Throws FolderInUse. Returns what lets go of the folder. */
export function holdFolder(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, 'server.lock'));
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === BUSY) throw new FolderInUse(folder);
    throw error;
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}
