import type { MachineView } from '#game/types.ts';
import { t } from '../../text/t.ts';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** Squares that stand for blocks before the rest is a number. */
const BLOCKS_SHOWN = 9;

/** The buddy's free lists, largest order first. What is empty must be seen at once. */
export function FreeListsPanel({ play, machine, marked }: { play: Play; machine: MachineView; marked: number | null }) {
  const orders = machine.freeLists.map((_, order) => machine.freeLists.length - 1 - order);
  return (
    <Panel play={play} name="lists" title={t('play.lists.title')} aside={<Largest machine={machine} />}>
      <table class="lists">
        <caption class="unseen">{t('play.lists.caption')}</caption>
        <thead class="unseen">
          <tr>
            <th scope="col">{t('play.lists.order')}</th>
            <th scope="col">{t('play.lists.size')}</th>
            <th scope="col">{t('play.lists.blocks')}</th>
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <ListRow key={order} order={order} blocks={machine.freeLists[order]!} marked={order === marked} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function ListRow({ order, blocks, marked }: { order: number; blocks: number; marked: boolean }) {
  const shown = Math.min(blocks, BLOCKS_SHOWN);
  return (
    <tr class={`list${blocks === 0 ? ' empty' : ''}${marked ? ' marked' : ''}`}>
      <th scope="row" class="mono">
        {order}
      </th>
      <td class="list-size mono">{sizeOf(order)}</td>
      <td class="list-blocks">
        <span class="list-squares" aria-hidden="true">
          {Array.from({ length: shown }, (_, n) => (
            <i key={n} />
          ))}
        </span>
        {blocks > shown && <span class="list-more mono">+{blocks - shown}</span>}
        <span class="list-count mono">{blocks}</span>
      </td>
    </tr>
  );
}

/** Bytes of a block of this order: "64 K", "4 M". */
function sizeOf(order: number): string {
  const kib = 4 * 2 ** order;
  return kib < 1024 ? `${kib} K` : `${kib / 1024} M`;
}

function Largest({ machine }: { machine: MachineView }) {
  if (machine.largestOrder < 0) return <span class="warn">{t('play.lists.nothing')}</span>;
  if (machine.largestOrder >= machine.freeLists.length - 1) return null;
  return <span class="warn">{t('play.lists.noneFrom', { order: machine.largestOrder + 1 })}</span>;
}
