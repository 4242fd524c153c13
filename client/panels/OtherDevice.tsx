import { useEffect, useRef, useState } from 'preact/hooks';
import { PASS_SECONDS } from '#protocol/limits.ts';
import { personalLink } from '../session/personalLink.ts';
import type { Passed, Session } from '../session/Session.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import { QrCode } from './QrCode.tsx';
import { useOrigin } from './useOrigin.ts';
import './OtherDevice.css';

/** Before a pass is too old the next is asked for. */
const RENEW_MS = PASS_SECONDS * 900;

/** The way to go on on another device, as who one is. What it shows lets in whoever has it, so that it shows it only when asked. */
export function OtherDevice({ session }: { session: Session }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button quiet small other-device" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {t('common.device.key')}
      </button>
      {open && <LinkDialog session={session} close={() => setOpen(false)} />}
    </>
  );
}

/** A pass that is good for as long as the dialog stands. */
function usePass(session: Session): Passed | null {
  const [passed, setPassed] = useState<Passed | null>(null);
  useEffect(() => {
    let here = true;
    const ask = () => void session.pass().then((answer) => here && setPassed(answer));
    ask();
    const renewing = setInterval(ask, RENEW_MS);
    return () => {
      here = false;
      clearInterval(renewing);
    };
  }, [session]);
  return passed;
}

function LinkDialog({ session, close }: { session: Session; close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [copied, setCopied] = useState(false);
  const { origin, reachable } = useOrigin();
  const passed = usePass(session);
  const room = session.room.value;
  const role = room?.role === 'host' ? 'host' : 'player';
  const link = passed?.ok === true && room !== null ? personalLink(origin, room.code, role, passed.pass) : null;
  useEffect(() => dialog.current?.showModal(), []);
  const copy = () =>
    void navigator.clipboard?.writeText(link ?? '').then(
      () => setCopied(true),
      () => {},
    );
  return (
    <dialog ref={dialog} class="device" aria-labelledby="device-head" onClose={close}>
      <h2 id="device-head">{t('common.device.head')}</h2>
      <p>{t(`common.device.${role}`)}</p>
      {link === null ? (
        <p class={passed === null ? 'qr waiting' : 'notice danger'} role="status">
          {passed?.ok === false ? sentenceOf(passed.code) : t('common.loading')}
        </p>
      ) : (
        <>
          <QrCode text={link} label={t('common.device.qr')} />
          <label class="label" for="device-link">
            {t('common.device.link')}
          </label>
          <input id="device-link" class="input mono" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
          <p class="notice warn">{t(`common.device.${role}Secret`, { n: PASS_SECONDS / 60 })}</p>
        </>
      )}
      {!reachable && <p class="notice warn">{t('host.localhost')}</p>}
      <div class="row spread">
        <span class="row">
          {navigator.clipboard !== undefined && link !== null && (
            <button type="button" class="button" onClick={copy}>
              {t('common.device.copy')}
            </button>
          )}
          {copied && (
            <span class="good" role="status">
              {t('common.device.copied')}
            </span>
          )}
        </span>
        <button type="button" class="button main" onClick={() => dialog.current?.close()} autofocus>
          {t('common.close')}
        </button>
      </div>
    </dialog>
  );
}
