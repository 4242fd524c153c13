/** A disk that fails is the host's to know, and nobody's to wait for. */
import { atTick, door, expect, test } from './classroom.ts';

test('a disk that cannot be written: the host is told while it lasts, and the class plays on', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 3);
  await classroom.house.failDisk(true);
  const banner = host.locator('.link-banner.unlogged');
  await expect(banner).toContainText('The server cannot write to its disk.');
  const told = (await door(ada, 'tick'))!;
  await atTick(ada, told + 10);
  await expect(ada.locator('.link-banner')).toHaveText('');
  await classroom.house.failDisk(false);
  await expect(banner).toBeHidden();
});
