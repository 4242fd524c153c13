/** Which set of roles (tokens.css) the page wears; remembered on the device. Dark until somebody chooses. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export type Theme = 'dark' | 'light';

const KEY = 'overcommit.theme';
const now = signal<Theme>('dark');

export const theme: ReadonlySignal<Theme> = now;

export function startTheme(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // A browser may forbid storage: the choice then lasts for this page.
  }
  wear(kept === 'light' ? 'light' : 'dark');
}

export function setTheme(next: Theme): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // See above.
  }
  wear(next);
}

/** The value of a role now, for whoever paints without CSS: `color('--own-mine')` is '#f0e442'. */
export function color(role: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(role).trim();
}

function wear(next: Theme): void {
  document.documentElement.dataset.theme = next;
  now.value = next;
}
