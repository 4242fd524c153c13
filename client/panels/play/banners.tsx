/** What takes a moment of everybody's attention: a stall, a kill, a why, the first ten seconds. None of them stops play. */
import type { Row3, SeatView } from '#game/types.ts';
import { framesShort } from '../../text/units.ts';
import { has, t } from '../../text/t.ts';
import { numbersOf } from './logLines.ts';
import { Mark, who } from './Mark.tsx';
import type { Play } from './play.ts';
import { ordinal } from './YouPanel.tsx';

/** "Stalled 1.4 s: reclaimed 96 pages for your request", so that it never reads as lag. */
export function StallBanner({ mine }: { mine: SeatView }) {
  if (mine.stall === null || !mine.alive) return null;
  return (
    <p class="stall" role="status">
      <strong class="mono">{t('play.stall.seconds', { n: (mine.stall.ticks / 10).toFixed(1) })}</strong>
      <span>{t(`play.stall.${mine.stall.cause}`, mine.stall.numbers)}</span>
    </p>
  );
}

/** Two rows, because the one who asks is rarely the one who dies. Stays while the process comes back. */
export function KillCard({ play, mine }: { play: Play; mine: SeatView }) {
  const { killed } = mine;
  if (mine.alive || killed === null) return null;
  const next = killed.next;
  return (
    <section class="kill" role="alert" aria-labelledby="kill-title">
      <h2 id="kill-title">{t('play.kill.title')}</h2>
      <p>{t('play.kill.line')}</p>
      <table class="kill-rows">
        <thead>
          <tr>
            <td class="dim">{t('play.kill.unit')}</td>
            <th scope="col">{t('play.kill.who')}</th>
            <th scope="col" class="num">
              {t('play.kill.asked')}
            </th>
            <th scope="col" class="num">
              RSS
            </th>
            <th scope="col" class="num">
              {t('play.you.badness')}
            </th>
          </tr>
        </thead>
        <tbody>
          <KillRow play={play} name={t('play.kill.asker')} row={killed.asker} />
          <KillRow play={play} name={t('play.kill.victim')} row={killed.victim} victim />
        </tbody>
      </table>
      <p class="kill-foot">
        <span class="warn">{t('play.kill.lost', { n: killed.lost })}</span>
        {next !== null && (
          <span>{t('play.kill.next', { who: next === play.seat ? t('play.processes.you') : play.nameOf(next) || '–' })}</span>
        )}
      </p>
      <p class="kill-back">
        <span class="mono">{Math.ceil(mine.respawnTicks / 10)}</span> {t('play.kill.back')}
      </p>
    </section>
  );
}

function KillRow({ play, name, row, victim = false }: { play: Play; name: string; row: Row3; victim?: boolean }) {
  return (
    <tr class={victim ? 'victim' : ''}>
      <th scope="row">{name}</th>
      <td>
        {row.seat !== null && <Mark play={play} seat={row.seat} />}{' '}
        {row.seat === play.seat ? t('play.processes.you') : who(play, row.seat, row.pid)}
      </td>
      <td class="num">{row.asked}</td>
      <td class="num">{row.rss}</td>
      <td class="num">{row.badness}</td>
    </tr>
  );
}

/** The kernel's own numbers for a refusal, and its steps one key deeper. */
export function WhyCard({ play, onClose }: { play: Play; onClose(): void }) {
  const card = play.card.value;
  const why = card?.why ?? null;
  const numbers = why === null ? {} : numbersOf(why);
  const steps = why === null ? '' : `play.why.steps.${why.code}`;
  return (
    <section class="why" role="dialog" aria-label={t('play.why.title')}>
      <header class="why-head">
        <h2>{t('play.why.title')}</h2>
        <button type="button" class="button quiet small" onClick={onClose}>
          <kbd class="keycap">Esc</kbd> {t('common.close')}
        </button>
      </header>
      {why === null ? (
        <p>{t('play.why.none')}</p>
      ) : (
        <>
          <p class="why-sentence">{t(`why.${why.code}`, numbers)}</p>
          <dl class="why-numbers">
            {Object.entries(numbers).map(([name, value]) => (
              <div key={name}>
                <dt>{has(`play.why.number.${name}`) ? t(`play.why.number.${name}`) : name}</dt>
                <dd class="mono">{value}</dd>
              </div>
            ))}
          </dl>
          {has(steps) && <p class="why-steps">{t(steps, numbers)}</p>}
        </>
      )}
    </section>
  );
}

/** The first ten seconds of somebody's first round. */
export function Intro({ play, mine, onDone }: { play: Play; mine: SeatView; onDone(): void }) {
  return (
    <section class="intro" aria-live="polite">
      <p class="intro-who">
        <Mark play={play} seat={mine.seat} />
        <span>
          {t('play.intro.you')} <strong class="mono">PID {mine.pid}</strong>
        </span>
      </p>
      <ol class="intro-steps">
        <Step keys={['1']} name="card" />
        <Step keys={mine.tray.map((tool) => tool.key.toUpperCase())} name="call" />
        <Step keys={[t('play.held.space')]} name="free" />
      </ol>
      <p class="intro-risk">{t('play.intro.risk', { rank: ordinal(mine.killRank), frames: framesShort(mine.memory.rss) })}</p>
      <button type="button" class="button main" onClick={onDone}>
        {t('play.intro.go')}
      </button>
    </section>
  );
}

/** What to press: by its keys where there is a keyboard, in words for a thumb. */
function Step({ keys, name }: { keys: readonly string[]; name: 'card' | 'call' | 'free' }) {
  return (
    <li>
      <span class="by-key">
        {keys.map((key) => (
          <kbd key={key} class="keycap">
            {key}
          </kbd>
        ))}{' '}
        {t(`play.intro.${name}`)}
      </span>
      <span class="by-thumb">{t(`play.intro.tap.${name}`)}</span>
    </li>
  );
}
