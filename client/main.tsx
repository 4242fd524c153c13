import './theme/index.css';
import { render } from 'preact';
import { App } from './App.tsx';
import { startTheme } from './theme/theme.ts';
import { startText } from './text/t.ts';

startTheme();
await startText();
render(<App />, document.getElementById('app')!);

// The first page is whole without its typeface; that comes when nothing more urgent does.
(window.requestIdleCallback ?? setTimeout)(() => void import('./theme/fonts.css'));
