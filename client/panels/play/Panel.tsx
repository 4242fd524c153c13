import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { PanelName } from './opening.ts';
import type { Play } from './play.ts';

interface PanelProps {
  play: Play;
  name: PanelName;
  title: ComponentChildren;
  /** Stands beside the title, open or closed. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** A part of the screen with a title that opens and closes it. */
export function Panel({ play, name, title, aside, children }: PanelProps) {
  const id = useId();
  const open = play.opened.value.has(name);
  return (
    <section class={`part part-${name}${open ? '' : ' closed'}`} aria-labelledby={id}>
      <h2 class="part-title" id={id}>
        <button type="button" class="part-toggle" aria-expanded={open} onClick={() => play.open(name, !open)}>
          {title}
        </button>
        {aside !== undefined && <span class="part-aside">{aside}</span>}
      </h2>
      {open && <div class="part-body">{children}</div>}
    </section>
  );
}
