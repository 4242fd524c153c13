import type { ComponentChildren } from 'preact';
import { lang, setLang, t, type Lang } from '../text/t.ts';
import { setTheme, theme } from '../theme/theme.ts';
import './TopBar.css';

/** The head of every page: the name, what the page adds, and the two switches of the device. */
export function TopBar({ children, home = true }: { children?: ComponentChildren; home?: boolean }) {
  const name = (
    <>
      <Mark />
      <span class="wordmark">overcommit</span>
    </>
  );
  return (
    <header class="topbar">
      {home ? (
        <a class="brand" href="/" aria-label={t('common.name')}>
          {name}
        </a>
      ) : (
        <span class="brand">{name}</span>
      )}
      <div class="topbar-room">{children}</div>
      <Switches />
    </header>
  );
}

/** A block that was cut in two, and a half that was cut again. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
      <path class="mark-a" d="M0 0h7.5v7.5H0z" />
      <path class="mark-b" d="M8.5 0H12v3.5H8.5z" />
      <path class="mark-c" d="M13 0h3v3.5h-3zM8.5 4.5H12v3H8.5zM13 4.5h3v3h-3zM0 8.5h16V16H0z" />
    </svg>
  );
}

const NAMES: Record<Lang, string> = { en: 'English', 'zh-CN': '中文' };

/** Language and colours. The language button names the other language in that language. */
export function Switches() {
  const other: Lang = lang.value === 'en' ? 'zh-CN' : 'en';
  const next = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <div class="switches">
      <button type="button" class="button quiet small" lang={other} onClick={() => void setLang(other)}>
        {NAMES[other]}
      </button>
      <button type="button" class="button quiet small" onClick={() => setTheme(next)}>
        {t(`common.${next}`)}
      </button>
    </div>
  );
}
