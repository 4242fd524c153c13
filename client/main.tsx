import './theme/index.css';
import { render } from 'preact';
import { App } from './App.tsx';
import { takePersonalLink } from './session/personalLink.ts';
import { startTheme } from './theme/theme.ts';
import { startText } from './text/t.ts';

startTheme();
takePersonalLink();
// Opened where the room's page is already: the address alone has changed.
addEventListener('hashchange', () => takePersonalLink() && location.reload());
await startText();
render(<App />, document.getElementById('app')!);

// The first page is whole without its typeface; that comes when nothing more urgent does.
(window.requestIdleCallback ?? setTimeout)(() => void import('./theme/fonts.css'));
