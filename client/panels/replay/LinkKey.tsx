import { useState } from 'preact/hooks';
import { t } from '../../text/t.ts';
import type { Replay } from './replay.ts';

/** A link to this moment of the round, and the round as a file; only where a server has it. */
export function LinkKey({ replay }: { replay: Replay }) {
  const { session } = replay;
  const [id, setId] = useState<string | null | 'asking'>(null);
  const [said, say] = useState('');
  const open = async () => {
    if (id !== null && id !== 'asking') return setId(null);
    setId('asking');
    const found = await session.recording.askId();
    setId(found);
    say(found === null ? t('replay.noLink') : '');
  };
  const address = id === null || id === 'asking' ? '' : `${location.origin}/replay/${id}?t=${session.tick.value}`;
  const copy = () =>
    void navigator.clipboard?.writeText(address).then(
      () => say(t('replay.copied')),
      () => {},
    );
  return (
    <div class="link-key">
      <button type="button" class="button small" aria-expanded={address !== ''} disabled={id === 'asking'} onClick={() => void open()}>
        {t('replay.link')}
      </button>
      <div class="link-says" role="status">
        {address !== '' && (
          <div class="panel link-panel">
            <label class="label" for="replay-link">
              {t('replay.linkHere')}
            </label>
            <input id="replay-link" class="input mono" readOnly value={address} onFocus={(event) => event.currentTarget.select()} />
            <div class="row">
              {navigator.clipboard !== undefined && (
                <button type="button" class="button small" onClick={copy}>
                  {t('replay.copy')}
                </button>
              )}
              <a class="button small" href={`/api/rounds/${id}`} download={`round-${id}.oclg`}>
                {t('replay.save')}
              </a>
              {said !== '' && <span class="good">{said}</span>}
            </div>
          </div>
        )}
        {address === '' && said !== '' && id !== 'asking' && <p class="panel link-panel">{said}</p>}
      </div>
    </div>
  );
}
