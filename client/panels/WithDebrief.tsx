import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Recording } from '../session/recording.ts';
import type { Session } from '../session/Session.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import { Later } from './Later.tsx';

const loadDebrief = () => import('../screens/DebriefScreen.tsx');

interface Props {
  session: Session;
  /** The podium, with the key that opens the debrief in its place. */
  children(key: ComponentChildren): ComponentChildren;
}

/** A podium from which the round can be looked at again; closing the debrief leads back to it. */
export function WithDebrief({ session, children }: Props) {
  const [recording, setRecording] = useState<Recording | null>(null);
  const [state, setState] = useState<'' | 'asking' | string>('');
  const open = async () => {
    setState('asking');
    const answer = await session.recorded();
    setState(answer.ok ? '' : answer.code);
    if (answer.ok) setRecording(answer.recording);
  };
  if (recording !== null) {
    const close = () => setRecording(null);
    return <Later load={loadDebrief} show={({ DebriefScreen }) => <DebriefScreen recording={recording} close={close} />} />;
  }
  return (
    <>
      {children(
        <span class="row">
          <button type="button" class="button large" disabled={state === 'asking'} onClick={() => void open()}>
            {t('replay.open')}
          </button>
          {state !== '' && state !== 'asking' && (
            <span class="danger" role="alert">
              {sentenceOf(state)}
            </span>
          )}
        </span>,
      )}
    </>
  );
}
