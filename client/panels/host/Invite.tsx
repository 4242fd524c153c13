import { useEffect, useState } from 'preact/hooks';
import { askHere } from '../../session/doors.ts';
import { t } from '../../text/t.ts';
import { QrCode } from './QrCode.tsx';
import './Invite.css';

/** How students come in, for the back row: address and code as text, and the same as a QR code. */
export function Invite({ code, small = false }: { code: string; small?: boolean }) {
  const { origin, reachable } = useOrigin();
  const [scheme, address] = splitOrigin(origin);
  const link = `${origin}/j/${code}`;
  return (
    <section class={`invite ${small ? 'small' : ''}`} aria-label={t('host.invite')}>
      <div class="invite-text">
        <p class="label">{t('host.goTo')}</p>
        <p class="invite-address mono">
          <span class="dim">{scheme}</span>
          {address}
        </p>
        <p class="label">{t('host.code')}</p>
        <p class="invite-code mono" aria-label={code.split('').join(' ')}>
          <span>{code.slice(0, 3)}</span>
          <span>{code.slice(3)}</span>
        </p>
        {!reachable && <p class="notice warn">{t('host.localhost')}</p>}
      </div>
      <figure class="invite-qr">
        <QrCode text={link} label={t('host.qr', { link })} />
        <figcaption class="label mono">{link}</figcaption>
      </figure>
    </section>
  );
}

const LOCAL = /^(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

/** The address that other devices can use. A teacher's own machine is often open as localhost, which means nothing to them. */
function useOrigin(): { origin: string; reachable: boolean } {
  const local = LOCAL.test(location.hostname);
  const [origin, setOrigin] = useState<string | null>(local ? null : location.origin);
  useEffect(() => {
    if (!local) return;
    void askHere().then((answer) => {
      if (answer.ok) setOrigin(answer.value.origins[0] ?? null);
    });
  }, [local]);
  return { origin: origin ?? location.origin, reachable: origin !== null };
}

function splitOrigin(origin: string): [string, string] {
  const at = origin.indexOf('//') + 2;
  return [origin.slice(0, at), origin.slice(at)];
}
