import type { ComponentChildren } from 'preact';
import type { Debrief } from '#game/debrief.ts';
import { t } from '../../text/t.ts';
import { clock, frames, percent } from '../../text/units.ts';
import { ByHand } from '../play/ByHand.tsx';
import { causeSentence } from './marks.ts';
import { goTo, MOMENTS, openMoment, tickOf, type MomentName, type Replay } from './replay.ts';

/** The debrief in three minutes: what a class should talk about, one press each. */
export function Moments({ replay }: { replay: Replay }) {
  const { session } = replay;
  const debrief = session.story.value?.debrief;
  const known = Math.floor(((session.readTo.value - session.first) / Math.max(1, session.last - session.first)) * 100);
  return (
    <section class="moments" aria-label={t('replay.moments')}>
      {debrief === undefined ? (
        <p class="moments-wait dim" role="status">
          {t('replay.reading', { n: known })}
        </p>
      ) : (
        MOMENTS.map((name, n) => <Moment key={name} replay={replay} debrief={debrief} name={name} number={n + 1} />)
      )}
      <MomentPanel replay={replay} />
    </section>
  );
}

function Moment({ replay, debrief, name, number }: { replay: Replay; debrief: Debrief; name: MomentName; number: number }) {
  const tick = tickOf(replay, name);
  const head = (
    <span class="moment-head">
      <kbd class="keycap">{number}</kbd>
      <strong>{t(`replay.moment.${name}.title`)}</strong>
      {tick !== null && <span class="mono moment-time">{clock(tick)}</span>}
    </span>
  );
  if (tick === null) {
    return (
      <div class="moment none">
        {head}
        <span class="moment-text">{t(`replay.moment.${name}.none`)}</span>
      </div>
    );
  }
  return (
    <button type="button" class="moment" aria-pressed={replay.moment.value === name} onClick={() => openMoment(replay, name)}>
      {head}
      <span class="moment-text">{sentenceOf(replay, debrief, name)}</span>
    </button>
  );
}

function sentenceOf({ nameOf }: Replay, debrief: Debrief, name: MomentName): string {
  const { fragmentation, freed, kill } = debrief;
  if (name === 'fragmentation' && fragmentation !== null) {
    const { seat, pid, needed, free, managed, largestRun } = fragmentation;
    const share = percent(Math.round((free * 1000) / managed));
    return t('replay.moment.fragmentation.text', { who: nameOf(seat, pid), needed, free, share, run: largestRun });
  }
  if (name === 'freed' && freed !== null) {
    const { seat, pid, frames: n, from, to, grantedAfter } = freed;
    const before = from < 0 ? t('replay.nothing') : t('replay.order', { n: from });
    return t('replay.moment.freed.text', { who: nameOf(seat, pid), frames: frames(n), from: before, to, n: grantedAfter });
  }
  if (kill === null) return '';
  const { seat, pid, lost, badness } = kill.mark;
  return t('replay.moment.kill.text', { who: nameOf(seat, pid), lost, badness });
}

/** The chosen moment at length; it stands in a column, and on narrow screens below the three. */
export function MomentPanel({ replay }: { replay: Replay }) {
  const name = replay.moment.value;
  const debrief = replay.session.story.value?.debrief;
  const tick = name === null ? null : tickOf(replay, name);
  if (name === null || debrief === undefined || tick === null) return null;
  return (
    <section class="part moment-panel" aria-label={t(`replay.moment.${name}.title`)}>
      <header class="part-title">
        <h2>{t(`replay.moment.${name}.title`)}</h2>
        <button type="button" class="button quiet small" aria-label={t('common.close')} onClick={() => (replay.moment.value = null)}>
          ✕
        </button>
      </header>
      <p>{sentenceOf(replay, debrief, name)}</p>
      {name === 'fragmentation' && <Fragmentation debrief={debrief} />}
      {name === 'freed' && <Freed debrief={debrief} />}
      {name === 'kill' && <Causes replay={replay} debrief={debrief} />}
      {replay.session.tick.value === tick - 1 && (
        <p class="hint">
          <ByHand point={t('replay.before')} tap={t('replay.beforeTap')} />
        </p>
      )}
    </section>
  );
}

function Fragmentation({ debrief: { fragmentation } }: { debrief: Debrief }) {
  if (fragmentation === null) return null;
  const { order, free } = fragmentation;
  return (
    <>
      <p class="hint">{t('play.why.steps.FRAGMENTED', { order, freePages: free })}</p>
      {!fragmentation.half && <p class="hint">{t('replay.moment.fragmentation.less')}</p>}
    </>
  );
}

function Freed({ debrief: { freed } }: { debrief: Debrief }) {
  if (freed === null) return null;
  return <p class="hint">{t('replay.moment.freed.before', { n: freed.refusedBefore })}</p>;
}

function Causes({ replay, debrief }: { replay: Replay; debrief: Debrief }) {
  const { kill } = debrief;
  if (kill === null) return null;
  return (
    <>
      <h3 class="label">{t('replay.causes')}</h3>
      <ol class="causes">
        {kill.causes.map((cause, n) => (
          <li key={n}>
            <At replay={replay} tick={cause.tick}>
              {causeSentence(cause, replay.nameOf)}
            </At>
          </li>
        ))}
      </ol>
    </>
  );
}

/** A line that goes to its tick. */
export function At({ replay, tick, children, look = '' }: { replay: Replay; tick: number; children: ComponentChildren; look?: string }) {
  const here = replay.session.tick.value === tick;
  return (
    <button type="button" class={`at-tick ${look}`} aria-current={here ? 'step' : undefined} onClick={() => goTo(replay, tick)}>
      <span class="mono at-time">{clock(tick)}</span>
      <span>{children}</span>
    </button>
  );
}
