/**
 * `npm run bench`: one table of the speeds that quality.md asks for and that can be measured so far. `--json` prints the
 * same for machines, `--quick` measures less (for a look, not for a decision), `P1 P2` measures only those.
 */
import { measureBuddy } from './buddy.ts';
import { measureClick } from './click.ts';
import { measureClientTick } from './clientTick.ts';
import { measureDurable } from './durable.ts';
import { measureFreelist } from './freelist.ts';
import { measureJoin } from './join.ts';
import { measureCreate, measureHash, measureMemory, measureStorm } from './large.ts';
import { measureMachine } from './machine.ts';
import { printTable, type Row } from './measure.ts';
import { measurePaging } from './paging.ts';
import { measureReclaim } from './reclaim.ts';
import { measureReplay } from './replay.ts';
import { measureNeighbour } from './neighbour.ts';
import { measureGrowth, measureStream } from './stream.ts';

const args = process.argv.slice(2);
const isQuick = args.includes('--quick');
const wanted = args.filter((arg) => !arg.startsWith('--'));

const MEASURES: Readonly<Record<string, () => Row | Promise<Row>>> = {
  P1: () => measureBuddy(isQuick ? 3 : 7, isQuick ? 1_000_000 : 10_000_000),
  P2: () => measureMachine(isQuick ? 3 : 7, isQuick ? 10 : 50, false),
  P2f: () => measureMachine(isQuick ? 3 : 7, isQuick ? 10 : 50, true),
  P3: () => measureStorm(isQuick ? 3 : 5),
  P3r: () => measureReclaim(isQuick ? 3 : 5),
  P4: () => measureCreate(isQuick ? 3 : 7),
  P4h: () => measureHash(isQuick ? 3 : 7),
  P4r: () => measureReplay(isQuick ? 1 : 5, isQuick ? 600 : 3000),
  P5: measureMemory,
  P8: () => measureStream(isQuick ? 30 : 120),
  P8g: () => measureGrowth(isQuick ? 30 : 120),
  P6: () => measurePaging(isQuick ? 1 : 5),
  P6f: () => measureFreelist(isQuick ? 1 : 5),
  P9: () => measureJoin(isQuick ? 3 : 7, isQuick ? 1000 : 6000),
  P12: () => measureClick(isQuick ? 20 : 200),
  P13: () => measureDurable(isQuick ? 3 : 7, isQuick ? 50 : 150),
  R7: () => measureNeighbour(isQuick ? 5 : 20),
  P14: () => measureClientTick(isQuick ? 3 : 7, isQuick ? 200 : 1000),
};

const unknown = wanted.filter((id) => !Object.hasOwn(MEASURES, id));
if (unknown.length > 0) {
  process.stderr.write(`bench: no measure ${unknown.join(', ')}; there are ${Object.keys(MEASURES).join(', ')}\n`);
  process.exitCode = 2;
} else {
  const rows: Row[] = [];
  for (const [id, measure] of Object.entries(MEASURES)) if (wanted.length === 0 || wanted.includes(id)) rows.push(await measure());
  if (args.includes('--json')) console.log(JSON.stringify({ rows }));
  else printTable(rows);
}
