import { expect, test } from 'vitest';
import { step, type Block } from '../../client/panels/BuddyArt.tsx';

test('the picture of the first page is a buddy allocator: blocks always tile the square, and no two free buddies stay apart', () => {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let blocks: Block[] = [{ at: 0, order: 8, hue: '' }];
  for (let n = 0; n < 2000; n++) {
    blocks = step(blocks, random);
    let at = 0;
    for (const block of blocks) {
      expect(block.at).toBe(at);
      expect(block.at % (1 << block.order)).toBe(0);
      at += 1 << block.order;
    }
    expect(at).toBe(256);
    const free = new Set(blocks.filter((block) => block.hue === '').map((block) => `${block.at}/${block.order}`));
    for (const block of blocks)
      if (block.hue === '' && block.order < 8) expect(free.has(`${block.at ^ (1 << block.order)}/${block.order}`)).toBe(false);
  }
});
