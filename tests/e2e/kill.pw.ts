/** Somebody is killed, for a true reason, and is told which. */
import type { Page } from '@playwright/test';
import type { RoomSession } from '../../client/session/RoomSession.ts';
import { atTick, door, expect, test } from './classroom.ts';

/** `dmesg` of the machine that the page plays. */
function kernelLog(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { session } = (window as unknown as { __overcommit: { session: RoomSession } }).__overcommit;
    return [...session.round.value!.machine.kmsg];
  });
}

test('hoarders use up the memory; the OOM killer takes the process with the highest badness, which did not ask', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 240, scenario: 'who-is-next' });
  expect(await door(host, 'host', { do: 'addBots', bots: Array<'never'>(24).fill('never') })).toMatchObject({ ok: true });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 1);
  const pid = (await door(ada, 'pid'))!;
  // She asks for nothing; but she offers herself, as a process may. (The kernel weighs an adjustment in thousandths of the pages,
  // rounded down: it counts on machines of more than 1,000 frames only.)
  await door(ada, 'act', { do: 'adj', value: 1000 });
  await expect.poll(async () => (await door(ada, 'view'))!.killRank).toBe(1);

  // The card is there for as long as the process is dead: the round stands still meanwhile.
  await expect.poll(async () => (await door(ada, 'view'))!.killed !== null, { timeout: 180_000, intervals: [100] }).toBe(true);
  expect(await door(host, 'host', { do: 'pause' })).toMatchObject({ ok: true });
  const card = ada.getByRole('alert').filter({ hasText: 'The OOM killer took you' });
  await expect(card).toBeVisible();
  await expect(card.getByRole('row', { name: /^ASKER.*never/ })).toBeVisible();
  await expect(card.getByRole('row', { name: /^VICTIM/ })).toBeVisible();
  const { killed } = (await door(ada, 'view'))!;
  expect(killed!.victim).toMatchObject({ pid });
  expect(killed!.asker.pid).not.toBe(pid);
  expect(killed!.victim.badness).toBeGreaterThan(killed!.asker.badness);
  expect((await kernelLog(ada)).join('\n')).toMatch(new RegExp(`Out of memory: Killed process ${pid} `));

  await door(host, 'host', { do: 'resume' });
  await expect.poll(async () => (await door(ada, 'view'))!.alive).toBe(true);
  await expect.poll(() => door(ada, 'pid')).toBeGreaterThan(pid);
  await door(host, 'host', { do: 'end' });
  await expect(host.getByText(/\d+ OOM kills?/)).toBeVisible();
});
