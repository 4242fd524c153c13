import type { ComponentChildren } from 'preact';
import { SPEEDS, type Speed } from '../../session/ReplaySession.ts';
import { t } from '../../text/t.ts';
import { clock } from '../../text/units.ts';
import { jump, playOrPause } from './keys.ts';
import type { Replay } from './replay.ts';

/** Paths in a box of 16 × 16, filled. */
const ICONS = {
  back: 'M2 3h2v10H2zM13 3v10L5 8z',
  stepBack: 'M11 3v10L4 8zM12.5 3h1.5v10h-1.5z',
  play: 'M4 2.5v11L13.5 8z',
  pause: 'M3.5 2.5h3.5v11H3.5zM9 2.5h3.5v11H9z',
  step: 'M5 3v10l7-5zM2 3h1.5v10H2z',
  next: 'M12 3h2v10h-2zM3 3v10l8-5z',
} as const;

/** Play, step, jump from event to event, and how fast. */
export function Transport({ replay, children }: { replay: Replay; children?: ComponentChildren }) {
  const { session } = replay;
  const playing = session.playing.value;
  const tick = session.tick.value;
  return (
    <div class="transport">
      <div class="transport-keys" role="group" aria-label={t('replay.transport')}>
        <Key icon="back" label={t('replay.previous')} cap="P" press={() => jump(replay, -1)} />
        <Key icon="stepBack" label={t('replay.stepBack')} cap="," press={() => session.step(-1)} />
        <button
          type="button"
          class="button main transport-play"
          aria-label={t(playing ? 'replay.pause' : 'replay.play')}
          onClick={() => playOrPause(replay)}
        >
          <Icon name={playing ? 'pause' : 'play'} />
        </button>
        <Key icon="step" label={t('replay.step')} cap="." press={() => session.step(1)} />
        <Key icon="next" label={t('replay.next')} cap="N" press={() => jump(replay, 1)} />
      </div>
      <p class="transport-time mono">
        <strong>{clock(tick)}</strong> <span class="dim">/ {clock(session.last)}</span>
        <span class="dim transport-tick">{t('replay.tick', { n: tick })}</span>
      </p>
      <div class="transport-speeds" role="group" aria-label={t('replay.speed')}>
        {SPEEDS.map((speed) => (
          <button
            key={speed}
            type="button"
            class="button small"
            aria-pressed={session.speed.value === speed}
            aria-label={t('replay.times', { n: nameOf(speed) })}
            onClick={() => (session.speed.value = speed)}
          >
            {nameOf(speed)}×
          </button>
        ))}
      </div>
      <Legend />
      <div class="transport-more">{children}</div>
    </div>
  );
}

/** What the timeline's shapes are. */
function Legend() {
  return (
    <ul class="timeline-legend">
      {(['free', 'run', 'killed', 'failed'] as const).map((name) => (
        <li key={name}>
          <span class={`timeline-sample ${name}`} aria-hidden="true" /> {t(`replay.legend.${name}`)}
        </li>
      ))}
    </ul>
  );
}

function nameOf(speed: Speed): string {
  return speed === 0.5 ? '½' : String(speed);
}

function Key({ icon, label, cap, press }: { icon: keyof typeof ICONS; label: string; cap: string; press(): void }) {
  return (
    <button type="button" class="button transport-key" aria-label={label} title={`${label} (${cap})`} onClick={press}>
      <Icon name={icon} />
    </button>
  );
}

function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="transport-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
