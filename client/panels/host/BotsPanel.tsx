import { useState } from 'preact/hooks';
import type { BotName } from '#game/types.ts';
import type { HostAction } from '../../session/Session.ts';
import { t } from '../../text/t.ts';

/** In the order of how useful they are to a class. */
const KINDS: BotName[] = ['free', 'half', 'keep', 'never', 'splinter', 'spam', 'guess', 'bigOnly', 'smallOnly'];
/** A class as it is: most free, some do not. */
const MIX: BotName[] = ['free', 'half', 'free', 'keep', 'free', 'never'];
const COUNTS = [1, 3, 5, 10, 20];

interface BotsProps {
  /** Places that are left. */
  places: number;
  bots: number;
  host(action: HostAction): void;
}

/** Processes that play by themselves, to fill a machine. */
export function BotsPanel({ places, bots, host }: BotsProps) {
  const [kind, setKind] = useState<BotName | 'mix'>('mix');
  const [count, setCount] = useState(5);
  const n = Math.min(count, places);
  const add = () => host({ do: 'addBots', bots: Array.from({ length: n }, (_, at) => (kind === 'mix' ? MIX[at % MIX.length]! : kind)) });
  return (
    <div class="row bots">
      <select
        class="input"
        aria-label={t('host.bots.kind')}
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value as BotName | 'mix')}
      >
        {(['mix', ...KINDS] as const).map((name) => (
          <option key={name} value={name}>
            {t(`host.bots.${name}`)}
          </option>
        ))}
      </select>
      <select
        class="input bots-count"
        aria-label={t('host.bots.count')}
        value={count}
        onChange={(event) => setCount(Number(event.currentTarget.value))}
      >
        {COUNTS.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
      <button type="button" class="button" disabled={n < 1} onClick={add}>
        {t('host.bots.add', { n: Math.max(n, 1) })}
      </button>
      {bots > 0 && (
        <button type="button" class="button quiet" onClick={() => host({ do: 'removeBots' })}>
          {t('host.bots.remove')}
        </button>
      )}
    </div>
  );
}
