import { useEffect, useState } from 'preact/hooks';
import { config } from 'zod';
import { ScenarioError, parseScenario } from '#game/scenario.ts';
import { WireFormatError } from '#protocol/bytes.ts';
import { OtherRulesError } from '#protocol/log.ts';
import { TopBar } from '../panels/TopBar.tsx';
import { go } from '../route.ts';
import { askRound } from '../session/doors.ts';
import { recordingOf, type Recording } from '../session/recording.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import { DebriefScreen } from './DebriefScreen.tsx';
import './EndedScreen.css';

// The schema library writes faster code at run time where it may; the Content-Security-Policy forbids even the try.
config({ jitless: true });

type State = { is: 'idle' | 'loading' } | { is: 'refused'; code: string } | { is: 'there'; recording: Recording; name: string };

/** A round by its link, or from a file: `/replay/ID`, `/replay`. */
export function ReplayScreen({ id }: { id: string }) {
  const [state, setState] = useState<State>({ is: 'idle' });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (id === '') return setState({ is: 'idle' });
    let here = true;
    setState({ is: 'loading' });
    void load(id).then((loaded) => here && setState(loaded));
    return () => void (here = false);
  }, [id, tries]);
  if (state.is === 'there') {
    const close = () => (id === '' ? setState({ is: 'idle' }) : go('/replay'));
    return <DebriefScreen key={state.name} recording={state.recording} at={tickAsked()} close={close} />;
  }
  return (
    <>
      <TopBar />
      <main class="ended">
        <div class="ended-card">
          <h1>{t('replay.file.head')}</h1>
          {state.is === 'loading' && <p role="status">{t('replay.file.loading')}</p>}
          {state.is === 'refused' && (
            <p class="notice danger" role="alert">
              {has(state.code) ? t(`replay.codes.${state.code}`) : sentenceOf(state.code)}
            </p>
          )}
          {state.is === 'idle' && <p>{t('replay.file.idea')}</p>}
          {state.is !== 'loading' && (
            <div class="row">
              {state.is === 'refused' && id !== '' && (
                <button type="button" class="button main" onClick={() => setTries(tries + 1)}>
                  {t('common.again')}
                </button>
              )}
              <FileKey opened={setState} />
            </div>
          )}
        </div>
      </main>
    </>
  );
}

const OWN = new Set(['DAMAGED', 'RULES']);
const has = (code: string): boolean => OWN.has(code);

function FileKey({ opened }: { opened(state: State): void }) {
  return (
    <label class="button file-key">
      {t('replay.file.open')}
      <input
        type="file"
        class="unseen"
        accept=".oclg,application/octet-stream"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file === undefined) return;
          void file.arrayBuffer().then((bytes) => opened(read(new Uint8Array(bytes), file.name, null)));
          event.currentTarget.value = '';
        }}
      />
    </label>
  );
}

async function load(id: string): Promise<State> {
  const answer = await askRound(id);
  if (!answer.ok) return { is: 'refused', code: answer.code };
  return read(answer.value.file, id, answer.value.hash, async () => id);
}

/** A file may come from anybody: its scenario is checked, and a machine is made of it, before anything is shown. */
function read(file: Uint8Array, name: string, hash: string | null, askId?: () => Promise<string>): State {
  try {
    const recording = recordingOf(file, { hash, ...(askId === undefined ? {} : { askId }) }, parseScenario);
    recording.begin(null);
    return { is: 'there', recording, name };
  } catch (error) {
    if (error instanceof OtherRulesError) return { is: 'refused', code: 'RULES' };
    if (error instanceof WireFormatError || error instanceof ScenarioError || error instanceof RangeError || isOfMachine(error))
      return { is: 'refused', code: 'DAMAGED' };
    throw error;
  }
}

/** What the kernel throws for a machine that cannot be. */
const isOfMachine = (error: unknown): boolean => error instanceof Error && error.name === 'ConfigError';

/** `?t=394`: a link to one moment. */
function tickAsked(): number {
  const asked = Number(new URLSearchParams(location.search).get('t') ?? 0);
  return Number.isFinite(asked) ? asked : 0;
}
