import { t } from '../../text/t.ts';
import { QrCode } from '../QrCode.tsx';
import { useOrigin } from '../useOrigin.ts';
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

function splitOrigin(origin: string): [string, string] {
  const at = origin.indexOf('//') + 2;
  return [origin.slice(0, at), origin.slice(at)];
}
