import type { ComponentChildren } from 'preact';
import { t } from '../text/t.ts';

interface TabsProps<Name extends string> {
  names: readonly Name[];
  /** Where the names' texts stand: `<area>.tab.<name>`. */
  area: string;
  tab: NoInfer<Name>;
  choose(tab: NoInfer<Name>): void;
  children?: ComponentChildren;
}

/** Narrow screens: the columns become tabs, walked by arrow keys (each screen's CSS shows the bar there only). */
export function Tabs<Name extends string>({ names, area, tab, choose, children }: TabsProps<Name>) {
  const step = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = names[(names.indexOf(tab) + by + names.length) % names.length]!;
    choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <nav class="tabs" role="tablist" aria-label={t('play.tab.title')} onKeyDown={step}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={tab === name}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => choose(name)}
        >
          {t(`${area}.tab.${name}`)}
        </button>
      ))}
      {children}
    </nav>
  );
}
