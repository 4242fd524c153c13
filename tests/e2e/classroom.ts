/** A server, a teacher and students in browsers of their own, for the browser tests. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, type Page, test as base, expect } from '@playwright/test';
import type { RoomSession } from '../../client/session/RoomSession.ts';
import type { Mark } from '#game/chronicle.ts';
import type { Debrief } from '#game/debrief.ts';
import type { Action, Podium, Scenario, SeatView } from '#game/types.ts';

export interface Question {
  id: number;
  code: string;
  /** From now on the server's disk fails, or does so no longer. */
  failing?: boolean;
}

/** What the server itself knows of the round in a room: enough to play it again. */
export interface ServerRound {
  scenario: Scenario;
  seed: number;
  now: number;
  hash: string;
  /** One encoded tick each, in base64. */
  ticks: string[];
}

export interface House {
  url: string;
  /** The server's round of a room, or null where none is on. */
  round(code: string): Promise<ServerRound | null>;
  failDisk(failing: boolean): Promise<void>;
}

/** `window.__overcommit` of pages opened with `?test` (client/session/testDoor.ts). */
export interface Door {
  hash(): string | null;
  tick(): number;
  over(): boolean | null;
  phase(): string | null;
  room(): RoomSession['room']['value'];
  link(): string;
  ended(): string | null;
  seat(): number;
  pid(): number | null;
  view(): SeatView | null;
  podium(): Podium | null;
  act(action: Action): Promise<{ ok: boolean; code?: string }>;
  host(action: Parameters<RoomSession['host']>[0]): Promise<{ ok: boolean; code?: string }>;
  cut(): void;
  /** Of a replay (while it stands over the page `hash` and `tick` are its own). */
  seek(n: number): void;
  last(): number;
  marks(): Mark[];
  story(): Debrief | null;
}

async function openHouse(): Promise<{ house: House; close(): Promise<void> }> {
  const child = fork(fileURLToPath(new URL('./house.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('the server did not start'))),
  ])) as [{ port: number }];
  const waiting = new Map<number, (round: ServerRound | null) => void>();
  child.on('message', ({ id, round }: { id: number; round: ServerRound | null }) => waiting.get(id)?.(round));
  let id = 0;
  const ask = (question: Omit<Question, 'id'>): Promise<ServerRound | null> =>
    new Promise((resolve) => {
      waiting.set(++id, resolve);
      child.send({ id, ...question });
    });
  const house: House = {
    url: `http://127.0.0.1:${port}`,
    round: (code) => ask({ code }),
    failDisk: async (failing) => void (await ask({ code: '', failing })),
  };
  const close = async () => {
    child.disconnect();
    await ended;
  };
  return { house, close };
}

export interface Classroom {
  house: House;
  /** The teacher's page in the lobby of a new room. */
  host(options?: { seconds?: number; scenario?: string }): Promise<{ page: Page; code: string }>;
  /** A student's page in the room, joined by its link. */
  student(code: string, name: string, options?: BrowserContextOptions): Promise<Page>;
  /** A page of somebody new, with nothing open. */
  somebody(options?: BrowserContextOptions): Promise<Page>;
}

interface Faults {
  page: string;
  text: string;
}

/** Everything that a page complains of: exceptions, errors in its console, refusals by the Content-Security-Policy. */
function listen(page: Page, faults: Faults[]): void {
  page.on('pageerror', (error) => faults.push({ page: page.url(), text: String(error) }));
  page.on('console', (message) => {
    // What a test provokes (a wrong code is a 404) the browser prints by itself, without any script having failed.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push({ page: page.url(), text: message.text() });
  });
}

async function openClassroom(browser: Browser, house: House, faults: Faults[]): Promise<Classroom & { close(): Promise<void> }> {
  const contexts: { close(): Promise<void> }[] = [];
  const somebody = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1366, height: 768 }, ...options });
    contexts.push(context);
    context.on('page', (page) => listen(page, faults));
    return context.newPage();
  };
  return {
    house,
    somebody,
    async host({ seconds = 10, scenario } = {}) {
      const page = await somebody();
      await page.goto(`${house.url}/host?test`);
      await page.getByRole('button', { name: 'Create room' }).click();
      await page.waitForURL(/\/host\/[0-9A-Z]{6}/);
      await inPhase(page, 'lobby');
      expect(await door(page, 'host', { do: 'options', seconds, ...(scenario === undefined ? {} : { scenario }) })).toMatchObject({
        ok: true,
      });
      return { page, code: /\/host\/(\w{6})/.exec(page.url())![1]! };
    },
    async student(code, name, options) {
      const page = await somebody(options);
      await join(page, house, code, name);
      return page;
    },
    close: async () => void (await Promise.all(contexts.map((context) => context.close()))),
  };
}

/** Through the join page, as a person does it. */
export async function join(page: Page, house: House, code: string, name: string): Promise<void> {
  await page.goto(`${house.url}/j/${code}?test`);
  await page.getByLabel('Your name in the game').fill(name);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await linked(page);
}

type Called<K extends keyof Door> = Awaited<ReturnType<Door[K]>>;

/** Calls the test door of a page. */
export function door<K extends keyof Door>(page: Page, name: K, ...words: Parameters<Door[K]>): Promise<Called<K>> {
  return page.evaluate(
    ([called, given]) => {
      const there = (window as unknown as { __overcommit?: Record<string, (...words: unknown[]) => unknown> }).__overcommit;
      return (there?.[called as string]?.(...(given as unknown[])) ?? null) as never;
    },
    [name, words] as const,
  );
}

/** The page is in its room and hears the server. */
export async function linked(page: Page): Promise<void> {
  await expect.poll(() => door(page, 'link')).toBe('live');
}

export async function inPhase(page: Page, phase: string): Promise<void> {
  await expect.poll(() => door(page, 'phase'), { timeout: 60_000 }).toBe(phase);
}

export async function atTick(page: Page, tick: number): Promise<void> {
  await expect.poll(() => door(page, 'tick'), { timeout: 60_000 }).toBeGreaterThanOrEqual(tick);
}

export const test = base.extend<{ classroom: Classroom }, { house: House }>({
  house: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the names from the pattern
    async ({}, use) => {
      const { house, close } = await openHouse();
      await use(house);
      await close();
    },
    { scope: 'worker' },
  ],
  classroom: async ({ browser, house }, use) => {
    const faults: Faults[] = [];
    const { close, ...classroom } = await openClassroom(browser, house, faults);
    await use(classroom);
    await close();
    expect(faults, 'what the pages complained of').toEqual([]);
  },
});
export { expect };
