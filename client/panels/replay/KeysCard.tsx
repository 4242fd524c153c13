import { t } from '../../text/t.ts';

const ROWS: [string[], string][] = [
  [['␣'], 'play'],
  [[',', '.'], 'step'],
  [['←', '→'], 'second'],
  [['⇧ ←', '⇧ →'], 'ten'],
  [['↑', '↓'], 'speed'],
  [['P', 'N'], 'event'],
  [['1', '2', '3'], 'moment'],
  [['F'], 'follow'],
  [['Home', 'End'], 'ends'],
  [['Esc'], 'close'],
];

/** What the keyboard does. */
export function KeysCard({ close }: { close(): void }) {
  return (
    <section class="keys-card" role="dialog" aria-label={t('replay.keys.title')}>
      <header class="why-head">
        <h2>{t('replay.keys.title')}</h2>
        <button type="button" class="button quiet small" onClick={close}>
          <kbd class="keycap">Esc</kbd> {t('common.close')}
        </button>
      </header>
      <dl class="keys-list">
        {ROWS.map(([keys, name]) => (
          <div key={name}>
            <dt>
              {keys.map((key) => (
                <kbd key={key} class="keycap">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{t(`replay.keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
