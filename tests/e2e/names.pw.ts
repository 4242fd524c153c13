/** Every screen for somebody who does not see it: a language, one main part, a heading, and a name for everything that can be pressed. */
import type { Page } from '@playwright/test';
import { atTick, door, expect, inPhase, test } from './classroom.ts';

interface Heard {
  lang: string;
  mains: number;
  headings: number;
  /** Controls that a screen reader would announce as "button" and nothing else. */
  nameless: string[];
  /** Ids that stand twice, and labels that point nowhere. */
  broken: string[];
}

function listenTo(page: Page): Promise<Heard> {
  return page.evaluate(() => {
    const text = (id: string): string => document.getElementById(id)?.textContent?.trim() ?? '';
    const nameOf = (element: Element): string => {
      const labelled = (element.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean).map(text).join(' ');
      const labels = [...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent?.trim() ?? '').join(' ');
      const inside = element.textContent?.trim() ?? '';
      return labelled || element.getAttribute('aria-label') || labels || inside || element.getAttribute('title') || '';
    };
    const all = [...document.querySelectorAll('button, a[href], input, select, textarea, [role="button"], [role="tab"], [tabindex="0"]')];
    const shown = all.filter((element) => element.checkVisibility() && element.closest('[aria-hidden="true"]') === null);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    const pointed = [...document.querySelectorAll('[aria-labelledby], [aria-describedby], [aria-controls]')].flatMap((element) =>
      ['aria-labelledby', 'aria-describedby', 'aria-controls'].flatMap((name) =>
        (element.getAttribute(name) ?? '').split(/\s+/).filter(Boolean),
      ),
    );
    return {
      lang: document.documentElement.lang,
      mains: document.querySelectorAll('main, [role="main"]').length,
      headings: document.querySelectorAll('h1, h2').length,
      nameless: shown.filter((element) => nameOf(element) === '').map((element) => element.outerHTML.slice(0, 120)),
      broken: [...ids.filter((id, at) => ids.indexOf(id) !== at), ...pointed.filter((id) => !ids.includes(id))],
    };
  });
}

async function sound(page: Page, where: string): Promise<void> {
  const heard = await listenTo(page);
  expect(heard, where).toMatchObject({ lang: 'en', mains: 1, nameless: [], broken: [] });
  expect(heard.headings, where).toBeGreaterThan(0);
}

test('everything that can be pressed has a name, on every screen', async ({ classroom }) => {
  const somebody = await classroom.somebody();
  await somebody.goto(`${classroom.house.url}/`);
  await expect(somebody.getByRole('heading', { level: 1 })).toBeVisible();
  await sound(somebody, 'the join page');
  await somebody.goto(`${classroom.house.url}/host`);
  await expect(somebody.getByRole('button', { name: 'Create room' })).toBeEnabled();
  await sound(somebody, 'the page that creates a room');

  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await sound(host, 'the host’s lobby');
  await sound(ada, 'the lobby');
  await door(host, 'host', { do: 'addBots', bots: ['free', 'never'] });
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await atTick(host, 5);
  await sound(ada, 'play');
  await sound(host, 'the console');
  await door(host, 'host', { do: 'end' });
  for (const page of [host, ada]) await inPhase(page, 'podium');
  await expect(ada.getByRole('heading', { name: 'Round over' })).toBeVisible();
  await sound(ada, 'the podium');
  await sound(host, 'the host’s podium');
});
