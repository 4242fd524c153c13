/** One keyboard for a page: nothing is taken from a field that is typed in, from a shortcut of the browser, or from what has the focus. */

const TYPED = 'input:not([type="range"]), textarea, select, [contenteditable="true"]';
/** Space and Enter press what the keyboard has focused. */
const PRESSED = 'button, a, summary, [role="tab"]';

function isTaken({ defaultPrevented, ctrlKey, altKey, metaKey, key }: KeyboardEvent): boolean {
  if (defaultPrevented || ctrlKey || altKey || metaKey) return true;
  const { activeElement } = document;
  if (activeElement?.matches(TYPED) === true) return true;
  return (key === ' ' || key === 'Enter') && activeElement?.matches(PRESSED) === true && activeElement.matches(':focus-visible');
}

/** `act` says whether the key was its own. Listens until the returned function is called. */
export function listenKeys(act: (event: KeyboardEvent) => boolean): () => void {
  const press = (event: KeyboardEvent): void => {
    if (!isTaken(event) && act(event)) event.preventDefault();
  };
  document.addEventListener('keydown', press);
  return () => document.removeEventListener('keydown', press);
}
