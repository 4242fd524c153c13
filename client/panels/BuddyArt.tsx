/**
 * The picture of the first page: a toy buddy allocator that splits and merges squares along a Morton curve. It is a
 * drawing, not the machine; it stands still for people who asked for less motion.
 */
import { useEffect, useState } from 'preact/hooks';
import './BuddyArt.css';

/** 2^8 cells: 16 by 16. */
const TOP = 8;
const HUES = ['mine', 'own-1', 'own-2', 'own-3', 'own-4', 'cache', 'kernel', 'other'];
const STEP_MS = 900;

export interface Block {
  at: number;
  order: number;
  /** '' is free. */
  hue: string;
}

export function BuddyArt() {
  const [blocks, setBlocks] = useState(() => {
    let start: Block[] = [{ at: 0, order: TOP, hue: '' }];
    for (let n = 0; n < 160; n++) start = step(start, Math.random);
    return start;
  });
  useEffect(() => {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const timer = setInterval(() => setBlocks((now) => step(now, Math.random)), STEP_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <svg class="buddy-art" viewBox="0 0 160 160" aria-hidden="true">
      {blocks.map(({ at, order, hue }) => {
        const [x, y] = cellOf(at);
        const width = 1 << ((order + 1) >> 1);
        const height = 1 << (order >> 1);
        return (
          <rect
            key={`${at}/${order}`}
            class={hue || 'free'}
            x={x * 10 + 0.5}
            y={y * 10 + 0.5}
            width={width * 10 - 1}
            height={height * 10 - 1}
          />
        );
      })}
    </svg>
  );
}

/** One request or one release; free buddies join at once. Blocks stay sorted by address. */
export function step(blocks: readonly Block[], random: () => number): Block[] {
  const next = [...blocks];
  const held = next.filter((block) => block.hue !== '');
  const full = held.reduce((sum, block) => sum + (1 << block.order), 0) / (1 << TOP);
  // A machine at work: the fuller, the likelier somebody frees; about three quarters are held.
  if (held.length > 0 && random() < full * full) {
    const block = held[Math.floor(random() * held.length)]!;
    next[next.indexOf(block)] = { ...block, hue: '' };
    return join(next);
  }
  const order = Math.floor(random() * random() * 7);
  const free = next.filter((block) => block.hue === '' && block.order >= order);
  const smallest = free.reduce<Block | null>((best, block) => (best === null || block.order < best.order ? block : best), null);
  if (smallest === null) return next;
  const parts: Block[] = [{ at: smallest.at, order, hue: HUES[Math.floor(random() * HUES.length)]! }];
  for (let o = order; o < smallest.order; o++) parts.push({ at: smallest.at + (1 << o), order: o, hue: '' });
  next.splice(next.indexOf(smallest), 1, ...parts);
  return next;
}

function join(blocks: Block[]): Block[] {
  for (let i = 0; i + 1 < blocks.length; i++) {
    const a = blocks[i]!;
    const b = blocks[i + 1]!;
    if (a.hue !== '' || b.hue !== '' || a.order !== b.order || (a.at ^ (1 << a.order)) !== b.at) continue;
    blocks.splice(i, 2, { at: a.at, order: a.order + 1, hue: '' });
    i = -1;
  }
  return blocks;
}

function cellOf(at: number): [number, number] {
  let x = 0;
  let y = 0;
  for (let bit = 0; bit < TOP / 2; bit++) {
    x |= ((at >> (2 * bit)) & 1) << bit;
    y |= ((at >> (2 * bit + 1)) & 1) << bit;
  }
  return [x, y];
}
