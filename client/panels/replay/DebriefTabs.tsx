import { t } from '../../text/t.ts';

export const TABS = ['map', 'story', 'class', 'machine'] as const;
export type DebriefTab = (typeof TABS)[number];

/** Narrow screens: the columns become tabs (replay.css shows the bar there only). */
export function DebriefTabs({ tab, choose }: { tab: DebriefTab; choose(tab: DebriefTab): void }) {
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
          {t(`replay.tab.${name}`)}
        </button>
      ))}
    </nav>
  );
}
