import type { SeatView } from '#game/types.ts';
import { frames } from '../../text/units.ts';
import { lang, t } from '../../text/t.ts';
import type { Lang } from '../../text/t.ts';
import { keepFocus } from './CardTile.tsx';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** How close the OOM killer is, and the four sizes of a process. */
export function YouPanel({ play, mine }: { play: Play; mine: SeatView }) {
  return (
    <Panel play={play} name="you" title={t('play.you.title')} aside={<KillRank mine={mine} />}>
      <dl class="sizes">
        <Size name="RSS" pages={mine.memory.rss} main />
        <Size name="PSS" pages={mine.memory.pss} />
        <Size name="USS" pages={mine.memory.uss} />
        <Size name="VSS" pages={mine.memory.vss} />
      </dl>
      <dl class="facts">
        <div>
          <dt>{t('play.you.badness')}</dt>
          <dd class="mono">{mine.badness}</dd>
        </div>
        <div>
          <dt>{t('play.you.kernel')}</dt>
          <dd class="mono">{mine.memory.kernel}</dd>
        </div>
        <div>
          <dt>{t('play.you.tables')}</dt>
          <dd class="mono">{mine.memory.tables}</dd>
        </div>
        <Adj play={play} mine={mine} />
      </dl>
    </Panel>
  );
}

/** "8th to be killed", loud when it is near. */
export function KillRank({ mine }: { mine: SeatView }) {
  if (!mine.alive || mine.killRank < 1) return null;
  const look = mine.killRank === 1 ? 'kill-rank first' : mine.killRank <= 3 ? 'kill-rank near' : 'kill-rank';
  return (
    <span class={look}>{mine.killRank === 1 ? t('play.you.killedNext') : t('play.you.killRank', { rank: ordinal(mine.killRank) })}</span>
  );
}

/** "8th", by the language's own rule. */
export function ordinal(n: number): string {
  return t(`play.ordinal.${ENDINGS[RULES[lang.value].select(n)]}`, { n });
}

const RULES: Record<Lang, Intl.PluralRules> = {
  en: new Intl.PluralRules('en', { type: 'ordinal' }),
  'zh-CN': new Intl.PluralRules('zh-CN', { type: 'ordinal' }),
};

const ENDINGS: Record<Intl.LDMLPluralRule, string> = { one: 'st', two: 'nd', few: 'rd', many: 'th', other: 'th', zero: 'th' };

function Size({ name, pages, main = false }: { name: 'VSS' | 'RSS' | 'PSS' | 'USS'; pages: number; main?: boolean }) {
  return (
    <div class={main ? 'size main' : 'size'} title={t(`play.you.size.${name}`)}>
      <dt class="term">{name}</dt>
      <dd class="mono">{main ? frames(pages) : pages}</dd>
    </div>
  );
}

const ADJ_STEP = 100;

/** One's own oom_score_adj: raising it is always allowed, lowering costs the root token. What has no effect says so. */
function Adj({ play, mine }: { play: Play; mine: SeatView }) {
  return (
    <div class="adj">
      <dt class="mono">oom_score_adj</dt>
      <dd>
        <AdjKey play={play} mine={mine} by={-ADJ_STEP} />
        <span class="mono">{mine.adj.value}</span>
        <AdjKey play={play} mine={mine} by={ADJ_STEP} />
      </dd>
      {mine.adjPages === 0 && <dd class="adj-none">{t('play.you.adjNone')}</dd>}
    </div>
  );
}

/** Why a step of oom_score_adj cannot be taken; null when it can. */
export function adjRefusal(mine: SeatView, by: number): string | null {
  if (mine.adjPages === 0) return 'adjNone';
  if (mine.adj.value + by > mine.adj.max) return 'adjMost';
  if (mine.adj.value + by >= mine.adj.min) return null;
  return mine.adj.tokens === 0 ? 'adjRoot' : 'adjLeast';
}

function AdjKey({ play, mine, by }: { play: Play; mine: SeatView; by: number }) {
  const refusal = adjRefusal(mine, by);
  const says = t(`play.you.${refusal ?? (by > 0 ? 'adjUp' : 'adjDown')}`);
  const press = () =>
    refusal === null ? play.act({ do: 'adj', value: mine.adj.value + by }, { tool: 'other', card: 0 }) : play.say(says, 'plain');
  return (
    <button
      type="button"
      class="adj-key"
      aria-label={says}
      aria-disabled={refusal !== null}
      title={says}
      onMouseDown={keepFocus}
      onClick={press}
    >
      {by > 0 ? '+' : '−'}
    </button>
  );
}
