import { useEffect } from 'preact/hooks';
import { t } from '../text/t.ts';
import './Toast.css';

export interface ToastText {
  text: string;
  grave?: boolean;
  /** One thing that can be done about it. */
  action?: { text: string; press(): void };
}

const STAYS_MS = 8000;

/** One sentence about what was just done, at the foot of the page; it goes by itself. */
export function Toast({ toast, close }: { toast: ToastText | null; close(): void }) {
  useEffect(() => {
    if (toast === null) return;
    const timer = setTimeout(close, STAYS_MS);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div class="toast-place" role="status" aria-live="polite">
      {toast !== null && (
        <div class={`toast ${toast.grave === true ? 'grave' : ''}`}>
          <span>{toast.text}</span>
          {toast.action !== undefined && (
            <button type="button" class="button small" onClick={() => (toast.action!.press(), close())}>
              {toast.action.text}
            </button>
          )}
          <button type="button" class="button quiet small" aria-label={t('common.close')} onClick={close}>
            ✕
          </button>
        </div>
      )}
    </div>
  );
}
