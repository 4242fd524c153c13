import { useEffect, useState } from 'preact/hooks';
import { SEATS_DEFAULT, SEATS_MAX } from '#protocol/limits.ts';
import type { ScenarioReply } from '#protocol/messages.ts';
import { Lengths } from '../panels/host/Lengths.tsx';
import { ScenarioChoices } from '../panels/ScenarioChoices.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import { go } from '../route.ts';
import { deviceSecret } from '../session/device.ts';
import { askScenarios, createRoom } from '../session/doors.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import './CreateScreen.css';

/** A room in two presses: everything has a value already. */
export function CreateScreen() {
  const [scenarios, setScenarios] = useState<ScenarioReply[]>([]);
  const [id, setId] = useState('');
  const [seconds, setSeconds] = useState<number | null>(null);
  const [seats, setSeats] = useState(String(SEATS_DEFAULT));
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const chosen = scenarios.find((scenario) => scenario.id === id);

  const load = () =>
    askScenarios().then((answer) => {
      setWrong(answer.ok ? null : answer.code);
      if (!answer.ok) return;
      setScenarios(answer.value);
      setId(answer.value[0]?.id ?? '');
    });
  useEffect(() => void load(), []);

  const create = async (event: Event) => {
    event.preventDefault();
    if (busy || chosen === undefined) return;
    setBusy(true);
    setWrong(null);
    const answer = await createRoom({ scenario: id, secret: deviceSecret(), seconds: seconds ?? chosen.seconds, seats: seatsOf(seats) });
    setBusy(false);
    if (answer.ok) go(`/host/${answer.value.code}`);
    else setWrong(answer.code);
  };

  return (
    <>
      <TopBar />
      <main class="create">
        <form onSubmit={(event) => void create(event)}>
          <h1>{t('host.head')}</h1>
          <p class="dim create-idea">{t('host.idea')}</p>
          {wrong !== null && scenarios.length === 0 && (
            <div class="notice danger row spread" role="alert">
              <span>{sentenceOf(wrong)}</span>
              <button type="button" class="button small" onClick={() => void load()}>
                {t('common.again')}
              </button>
            </div>
          )}
          <ScenarioChoices scenarios={scenarios} chosen={id} choose={(next) => (setId(next), setSeconds(null))} />
          <div class="create-row">
            <fieldset>
              <legend class="label">{t('host.length')}</legend>
              <Lengths seconds={seconds ?? chosen?.seconds ?? 180} own={chosen?.seconds ?? 180} choose={setSeconds} />
            </fieldset>
            <SeatsField typed={seats} change={setSeats} />
          </div>
          {wrong !== null && scenarios.length > 0 && (
            <p class="notice danger" role="alert">
              {sentenceOf(wrong)}
            </p>
          )}
          <button type="submit" class="button main large" disabled={busy || chosen === undefined}>
            {t('host.create')}
          </button>
        </form>
      </main>
    </>
  );
}

/** What is typed stays as it is until the person leaves the field. */
function SeatsField({ typed, change }: { typed: string; change(typed: string): void }) {
  return (
    <div class="field create-seats">
      <label for="create-seats">{t('host.seats')}</label>
      <input
        id="create-seats"
        class="input"
        type="number"
        min={1}
        max={SEATS_MAX}
        value={typed}
        onInput={(event) => change(event.currentTarget.value)}
        onBlur={() => change(String(seatsOf(typed)))}
      />
    </div>
  );
}

function seatsOf(typed: string): number {
  const seats = Math.round(Number(typed));
  return typed.trim() === '' || !Number.isFinite(seats) ? SEATS_DEFAULT : Math.min(SEATS_MAX, Math.max(1, seats));
}
