/** P12: from a click on a call to its answer on the screen, in ticks: a real server, a real browser, both on this machine. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { Client } from '@colyseus/sdk';
import type { SeatReply } from '#protocol/messages.ts';
import type { RoomSession } from '../../client/session/RoomSession.ts';
import { BROWSER_FLAGS, getBrowser } from '../../scripts/browser.mjs';
import { setup } from '../../scripts/setup.mjs';
import { median, type Row } from './measure.ts';

const TICK_MS = 100;
const SERVER = new URL('../e2e/house.ts', import.meta.url);

async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

/** A running round with bots, and a page in it. */
async function enterRound(page: Page, url: string): Promise<void> {
  const secret = randomBytes(16).toString('hex');
  const { code } = await post<{ code: string }>(`${url}/api/rooms`, { scenario: 'first-touch', secret, seconds: 600 });
  const { reservation } = await post<SeatReply>(`${url}/api/rooms/${code}/seat`, { secret, role: 'host' });
  const host = await new Client(url).consumeSeatReservation(reservation);
  host.reconnection.enabled = false;
  for (const type of ['welcome', 'snap', 'tick', 'digest']) host.onMessage(type, () => {});
  await host.request('host' as never, { action: { do: 'addBots', bots: Array<'free'>(19).fill('free') } } as never);
  await page.goto(`${url}/j/${code}?test`);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.waitForFunction(() => '__overcommit' in window);
  await host.request('host' as never, { action: { do: 'start' } } as never);
  await page.waitForFunction(() => (window as unknown as { __overcommit: { tick(): number } }).__overcommit.tick() > 80, null, {
    timeout: 60_000,
  });
}

/** So that the numbers of one action are over before the next. */
const PAUSE_MS = 3 * TICK_MS;
const GOLDEN_SECTION = 0.618_034;

/**
 * Milliseconds into a tick. People press at any moment of it, and how long they wait depends on the moment: chance would deal
 * the moments unevenly, and another way in each run, so that two runs differ without a cause. Multiples of the golden section
 * lie evenly in a tick however many clicks there are, and far from the one before, so that no drift of the machine is taken for a phase.
 */
const phaseOf = (index: number): number => ((index * GOLDEN_SECTION) % 1) * TICK_MS;

/**
 * Ticks between an action, as a click makes it, and the frame that shows what came of it. The action is one that the round
 * always answers (a card that nobody has): there is not a card for every click.
 */
async function press(page: Page, index: number): Promise<number> {
  const waited = await page.evaluate(
    async (waitMs) => {
      const { session } = (window as unknown as { __overcommit: { session: RoomSession } }).__overcommit;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const answered = new Promise<void>((resolve) => {
        const stop = session.onEvents((events) => {
          if (!events.some((event) => event.type === 'ignored' && event.seat === session.seat)) return;
          stop();
          resolve();
        });
      });
      const since = performance.now();
      void session.act({ do: 'discard', card: 0xffff_ffff });
      await answered;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return performance.now() - since;
    },
    PAUSE_MS + phaseOf(index),
  );
  return waited / TICK_MS;
}

export async function measureClick(clicks: number): Promise<Row> {
  setup({});
  const server = fork(fileURLToPath(SERVER), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const opened = once(server, 'message') as Promise<[{ port: number }]>;
  const browser = await chromium.launch({ executablePath: await getBrowser(() => {}), args: BROWSER_FLAGS });
  try {
    const [{ port }] = await opened;
    const page = await browser.newPage({ locale: 'en-US', viewport: { width: 1366, height: 768 } });
    await enterRound(page, `http://127.0.0.1:${port}`);
    const ticks: number[] = [];
    for (let n = 0; n < clicks; n++) ticks.push(await press(page, n));
    const p95 = ticks.toSorted((a, b) => a - b)[Math.floor(ticks.length * 0.95)]!;
    const note = `p95 ${p95.toFixed(2)} (must 2.5); ${clicks} actions at any moment of a tick, 20 players, to the second frame after the answer`;
    return {
      id: 'P12',
      what: 'click to answer on the screen: ticks',
      value: median(ticks),
      unit: 'ticks',
      must: 1.5,
      stretch: 1.5,
      note,
      rounds: ticks,
    };
  } finally {
    await browser.close();
    if (server.connected) {
      server.disconnect();
      await once(server, 'exit');
    }
  }
}
