/**
 * Rows that are sorted anew look like what they are. A library that moves elements keeps them alive (`moveBefore`), and Chromium
 * has kept a moved row's old styles: so rows stand still in the document, and their contents change.
 */
import { door, expect, inPhase, test } from './classroom.ts';

/** Watches a list until its order has changed so often; what looked unlike its class, and whether an element was moved. */
const REORDERS = 4;

test('rows that change places keep no style of another row, and no element moves', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180, scenario: 'who-is-next' });
  const bots = Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? 'never' : 'free') as 'never' | 'free');
  expect(await door(host, 'host', { do: 'addBots', bots })).toMatchObject({ ok: true });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  for (const page of [host, ada]) await inPhase(page, 'running');

  for (const [page, rows, marked, property, plain] of [
    [host, '.process-table tbody tr', 'next-victim', 'outlineStyle', 'none'],
    [ada, '.processes > .process', 'mine', 'position', 'static'],
  ] as const) {
    await page.waitForSelector(rows);
    const seen = await page.evaluate(
      ([rows, marked, property, plain, times]) =>
        new Promise<{ wrong: string[]; moved: number }>((resolve) => {
          const list = () => [...document.querySelectorAll<HTMLElement>(rows)];
          const first = list();
          const wrong: string[] = [];
          let before = '';
          let changes = 0;
          const look = () => {
            const now = list();
            for (const row of now) {
              const isMarked = row.classList.contains(marked);
              if ((getComputedStyle(row)[property] !== plain) !== isMarked) wrong.push(`${row.className}: ${row.textContent}`);
            }
            const order = now.map((row) => /\d+/.exec(row.querySelector('.label, small')?.textContent ?? '')?.[0]).join(' ');
            if (order !== before) changes += 1;
            before = order;
            if (changes <= times) return void requestAnimationFrame(look);
            resolve({ wrong, moved: now.filter((row, at) => at < first.length && row !== first[at]).length });
          };
          look();
        }),
      [rows, marked, property, plain, REORDERS] as const,
    );
    expect(seen).toEqual({ wrong: [], moved: 0 });
  }
});
