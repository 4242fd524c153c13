/** The real server, killed ten times in a round at random moments, twice while it was starting; `npm run soak` does it at length. */
import { expect, test } from 'vitest';
import { hunt } from '../../server/cli/soak/hunt.ts';

test('ten kills lose nothing that anybody was told, and everybody is back each time', { timeout: 240_000 }, async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const { verdicts, backMs } = await hunt({ kills: 10, rooms: 2, players: 4, bots: 2, lifeMsMax: 1200, seed, say: () => {} });
  expect(backMs).toHaveLength(10);
  for (const verdict of verdicts) {
    expect(verdict.faults).toEqual([]);
    expect(verdict.confirmed).toBeGreaterThan(0);
    expect(verdict.inputs).toBeGreaterThanOrEqual(verdict.confirmed);
  }
});
