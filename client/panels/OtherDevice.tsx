import { useEffect, useRef, useState } from 'preact/hooks';
import { personalLink } from '../session/personalLink.ts';
import type { Role } from '../session/Session.ts';
import { t } from '../text/t.ts';
import { QrCode } from './QrCode.tsx';
import { useOrigin } from './useOrigin.ts';
import './OtherDevice.css';

interface Props {
  code: string;
  role: Extract<Role, 'host' | 'player'>;
}

/** The way to go on on another device, as who one is. What it shows is a secret, so that it shows it only when asked. */
export function OtherDevice({ code, role }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button quiet small other-device" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {t('common.device.key')}
      </button>
      {open && <LinkDialog code={code} role={role} close={() => setOpen(false)} />}
    </>
  );
}

function LinkDialog({ code, role, close }: Props & { close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [copied, setCopied] = useState(false);
  const { origin, reachable } = useOrigin();
  const link = personalLink(origin, code, role);
  useEffect(() => dialog.current?.showModal(), []);
  const copy = () =>
    void navigator.clipboard?.writeText(link).then(
      () => setCopied(true),
      () => {},
    );
  return (
    <dialog ref={dialog} class="device" aria-labelledby="device-head" onClose={close}>
      <h2 id="device-head">{t('common.device.head')}</h2>
      <p>{t(`common.device.${role}`)}</p>
      <QrCode text={link} label={t('common.device.qr')} />
      <label class="label" for="device-link">
        {t('common.device.link')}
      </label>
      <input id="device-link" class="input mono" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      <p class="notice warn">{t(`common.device.${role}Secret`)}</p>
      {!reachable && <p class="notice warn">{t('host.localhost')}</p>}
      <div class="row spread">
        <span class="row">
          {navigator.clipboard !== undefined && (
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
