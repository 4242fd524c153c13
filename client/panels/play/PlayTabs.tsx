import type { SeatView } from '#game/types.ts';
import { t } from '../../text/t.ts';
import { KillRank } from './YouPanel.tsx';

export const TABS = ['map', 'own', 'machine', 'class'] as const;
export type TabName = (typeof TABS)[number];

/** Narrow screens: the columns become tabs (play.css shows the bar there only). */
export function PlayTabs({ tab, choose, mine }: { tab: TabName; choose(tab: TabName): void; mine: SeatView }) {
  const step = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length]!;
    choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <nav class="tabs" role="tablist" aria-label={t('play.tab.title')} onKeyDown={step}>
      {TABS.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={tab === name}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => choose(name)}
        >
          {t(`play.tab.${name}`)}
        </button>
      ))}
      <KillRank mine={mine} />
    </nav>
  );
}
