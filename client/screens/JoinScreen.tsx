import { useEffect, useRef, useState } from 'preact/hooks';
import { makeName } from '#protocol/names.ts';
import { parseRoomCode } from '#protocol/roomCode.ts';
import { NAME_UNITS_MAX } from '#protocol/limits.ts';
import type { RoomReply } from '#protocol/messages.ts';
import { BuddyArt } from '../panels/BuddyArt.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import { keepName, lastName, secretFor } from '../session/device.ts';
import { askRoom, askSeat } from '../session/doors.ts';
import { keepReserved } from '../session/reserved.ts';
import { go } from '../route.ts';
import { learnScenarios, scenarioTitle } from '../text/scenarios.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import './JoinScreen.css';

/** Tries with another generated name before the person is asked. */
const NAME_TRIES = 5;

/** What was typed is wrong. All else is not the code's fault, and is said by the key that was pressed. */
const ABOUT_CODE = new Set(['BAD_CODE', 'NO_ROOM', 'TOO_MANY_TRIES']);

function otherName(): string {
  return makeName((n) => crypto.getRandomValues(new Uint32Array(1))[0]! % n);
}

/** A player's door: a code, a name, one button. `code` is what the address had, right or wrong. */
export function JoinScreen({ code: given, entered }: { code: string; entered(code: string, name: string): void }) {
  const [typed, setTyped] = useState(given);
  const [name, setName] = useState(() => lastName() ?? otherName());
  const [own, setOwn] = useState(() => lastName() !== null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const code = parseRoomCode(typed);
  const found = useRoom(code);
  const refusal = wrong ?? (found !== null && !found.ok ? found.code : null);
  const aboutName = refusal !== null && refusal.startsWith('NAME_');
  const aboutCode = refusal !== null && ABOUT_CODE.has(refusal);

  const join = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (code === null) return setWrong('BAD_CODE');
    setBusy(true);
    setWrong(null);
    const answer = await takeSeat(code, name, own);
    setBusy(false);
    if (!answer.ok) return setWrong(answer.code);
    if (own) keepName(answer.name);
    entered(code, answer.name);
  };

  return (
    <>
      <TopBar home={false} />
      <main class="join">
        <form class="join-form" onSubmit={(event) => void join(event)} noValidate>
          <h1>{t('join.head')}</h1>
          <p class="join-idea">{t('join.idea')}</p>
          <CodeField
            typed={typed}
            change={(next) => (setTyped(next), setWrong(null))}
            refusal={aboutCode ? refusal : null}
            room={found?.ok ? found.value : null}
          />
          <NameField
            name={name}
            change={(next) => (setName(next), setOwn(true), setWrong(null))}
            roll={() => (setName(otherName()), setOwn(false), setWrong(null))}
            refusal={aboutName ? refusal : null}
          />
          {refusal !== null && !aboutName && !aboutCode && <Refused code={refusal} />}
          <button type="submit" class="button main large" disabled={busy}>
            {t(busy ? 'join.joining' : 'join.join')}
          </button>
          <p class="join-other">
            {found?.ok && <InnerLink to={`/watch/${code}`}>{t('screen.watch')}</InnerLink>}
            <InnerLink to="/?practice">{t('join.practice')}</InnerLink>
            <InnerLink to="/host">{t('join.teacher')}</InnerLink>
          </p>
        </form>
        <div class="join-art">
          <BuddyArt />
        </div>
      </main>
    </>
  );
}

function Refused({ code }: { code: string }) {
  return (
    <p class="notice danger" role="alert">
      {sentenceOf(code)}
    </p>
  );
}

function InnerLink({ to, children }: { to: string; children: string }) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow}>
      {children}
    </a>
  );
}

interface CodeFieldProps {
  typed: string;
  change(typed: string): void;
  refusal: string | null;
  room: RoomReply | null;
}

function CodeField({ typed, change, refusal, room }: CodeFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // A phone would open its keyboard over the page of somebody who came by a link.
    if (typed === '') field.current?.focus();
  }, []);
  return (
    <div class="field">
      <label for="join-code">{t('join.code')}</label>
      <input
        ref={field}
        id="join-code"
        class="input code"
        value={typed}
        onInput={(event) => change(event.currentTarget.value)}
        maxLength={12}
        placeholder="······"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        enterkeyhint="go"
        aria-invalid={refusal !== null}
        aria-describedby="join-code-says"
      />
      <p id="join-code-says" class="join-says" aria-live="polite">
        {refusal !== null && <span class="danger">{sentenceOf(refusal)}</span>}
        {refusal === null && room !== null && <RoomFound room={room} />}
        {refusal === null && room === null && <span class="dim">{t('join.codeHint')}</span>}
      </p>
    </div>
  );
}

function RoomFound({ room }: { room: RoomReply }) {
  useEffect(learnScenarios, []);
  const title = scenarioTitle(room.scenario);
  return (
    <span>
      <span class="good">✓ </span>
      {t('join.found', { title, n: room.players, seats: room.seats })} {t(`join.phase.${room.phase}`)}
    </span>
  );
}

interface NameFieldProps {
  name: string;
  change(name: string): void;
  roll(): void;
  refusal: string | null;
}

function NameField({ name, change, roll, refusal }: NameFieldProps) {
  return (
    <div class="field">
      <label for="join-name">{t('join.name')}</label>
      <div class="join-name">
        <input
          id="join-name"
          class="input"
          value={name}
          onInput={(event) => change(event.currentTarget.value)}
          maxLength={NAME_UNITS_MAX}
          autocomplete="nickname"
          spellcheck={false}
          enterkeyhint="go"
          aria-invalid={refusal !== null}
          aria-describedby="join-name-says"
        />
        <button type="button" class="button" onClick={roll}>
          {t('join.roll')}
        </button>
      </div>
      <p id="join-name-says" class="join-says" aria-live="polite">
        {refusal === null ? <span class="dim">{t('join.nameHint')}</span> : <span class="danger">{sentenceOf(refusal)}</span>}
      </p>
    </div>
  );
}

/** A generated name that is taken is replaced without a word; a chosen one is the person's to change. */
async function takeSeat(code: string, name: string, own: boolean): Promise<{ ok: true; name: string } | { ok: false; code: string }> {
  for (let tries = 1; ; tries++) {
    const answer = await askSeat(code, { secret: secretFor(code), name, role: 'player' });
    if (answer.ok) {
      keepReserved(code, answer.value);
      return { ok: true, name: answer.value.name };
    }
    if (own || answer.code !== 'NAME_TAKEN' || tries === NAME_TRIES) return answer;
    name = otherName();
  }
}

/** What the server says about a code, asked once it is complete. A code that nobody finished typing is no mistake. */
function useRoom(code: string | null): Awaited<ReturnType<typeof askRoom>> | null {
  const [found, setFound] = useState<{ code: string; answer: Awaited<ReturnType<typeof askRoom>> } | null>(null);
  useEffect(() => {
    if (code === null) return;
    let here = true;
    void askRoom(code).then((answer) => here && setFound({ code, answer }));
    return () => void (here = false);
  }, [code]);
  return found !== null && found.code === code ? found.answer : null;
}
