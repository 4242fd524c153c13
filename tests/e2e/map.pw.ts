/** The frame map: by keyboard, in words, and where there is no WebGL. Practice alone serves as a room that needs nobody. */
import type { Page } from '@playwright/test';
import { expect, test } from './classroom.ts';

async function practise(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/?practice`);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('.map-host canvas')).toBeVisible();
}

/** How many different colours the map's canvas shows, on a grid of points. */
const colours = (page: Page) =>
  page.evaluate(() => {
    const map = document.querySelector<HTMLCanvasElement>('.map-host canvas')!;
    const copy = document.createElement('canvas');
    copy.width = 64;
    copy.height = 64;
    const pen = copy.getContext('2d')!;
    return new Promise<number>((resolve) =>
      // In the frame in which the map draws: a WebGL canvas is empty after it.
      requestAnimationFrame(() => {
        pen.imageSmoothingEnabled = false;
        pen.drawImage(map, 0, 0, 64, 64);
        const pixels = new Uint32Array(pen.getImageData(0, 0, 64, 64).data.buffer);
        resolve(new Set(pixels).size);
      }),
    );
  });

test('arrow keys walk over the frames, and each is named', async ({ classroom }) => {
  const ada = await classroom.somebody();
  await practise(ada, classroom.house.url);
  const map = ada.getByRole('application');
  const words = ada.locator('.map-cursor [aria-live]');
  await map.focus();
  await ada.keyboard.press('ArrowRight');
  await expect(words).toHaveText('pfn 0 · DMA · kernel · image of the kernel · order 0');
  await ada.keyboard.press('ArrowRight');
  await expect(words).toContainText('pfn 1 ·');
  await ada.keyboard.press('ArrowDown');
  await expect(words).toContainText('pfn 3 ·');
  await ada.keyboard.press('ArrowLeft');
  await expect(words).toContainText('pfn 2 ·');
});

test('what the map shows stands in tables, too', async ({ classroom }) => {
  const ada = await classroom.somebody();
  await practise(ada, classroom.house.url);
  await expect(ada.getByRole('table', { name: 'Zones of the memory' }).getByRole('rowheader')).toHaveText(['DMA', 'Normal']);
  await expect(ada.getByRole('table', { name: 'Processes' }).getByRole('row', { name: /^you / })).toHaveCount(1);
});

test('a row lights its process, and puts the light out', async ({ classroom }) => {
  const ada = await classroom.somebody();
  await practise(ada, classroom.house.url);
  const row = ada.locator('.process button').first();
  await row.click();
  await expect(row).toHaveAttribute('aria-pressed', 'true');
  await row.click();
  await expect(row).toHaveAttribute('aria-pressed', 'false');
});

test('without WebGL the map is drawn all the same', async ({ classroom }) => {
  const ada = await classroom.somebody();
  await ada.addInitScript(() => {
    const { getContext } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
      return kind.includes('webgl') ? null : Reflect.apply(getContext, this, [kind, ...rest]);
    } as typeof getContext;
  });
  await practise(ada, classroom.house.url);
  await expect.poll(() => colours(ada)).toBeGreaterThan(4);
  await ada.getByRole('application').focus();
  await ada.keyboard.press('ArrowRight');
  await expect(ada.locator('.map-cursor [aria-live]')).toContainText('pfn 0');
});

test('a window of another size has the whole map, sharp', async ({ classroom }) => {
  const ada = await classroom.somebody();
  await practise(ada, classroom.house.url);
  /** Of the canvas: points that are painted, points on the page, and points of the place that it has. */
  const sizes = () =>
    ada.locator('.map-host canvas').evaluate((canvas) => {
      const { width, height, clientWidth, clientHeight, parentElement } = canvas as HTMLCanvasElement;
      const place = [parentElement!.clientWidth, parentElement!.clientHeight];
      return [[width, height], [clientWidth, clientHeight], place].map(String);
    });
  for (const size of [
    { width: 1920, height: 1080 },
    { width: 844, height: 390 },
    { width: 390, height: 844 },
  ]) {
    const [before] = await sizes();
    await ada.setViewportSize(size);
    await expect.poll(async () => (await sizes())[0]).not.toBe(before);
    await expect.poll(async () => new Set(await sizes()).size).toBe(1);
  }
});
