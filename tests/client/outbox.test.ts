import { describe, expect, test } from 'vitest';
import type { Action } from '#game/types.ts';
import { Outbox, STALE_MS, type Sent } from '../../client/session/Outbox.ts';

const FREE: Action = { do: 'freeDone' };
const SEAT = 4;

function outbox() {
  const sent: number[] = [];
  const answers: ((answer: { ok: true } | { ok: false; code: string }) => void)[] = [];
  const link = { open: true, time: 0 };
  const box = new Outbox({
    send: (seq) => {
      sent.push(seq);
      return new Promise((resolve) => answers.push(resolve));
    },
    isOpen: () => link.open,
    time: () => link.time,
  });
  const confirm = (seq: number, seat = SEAT) => box.confirm({ n: 1, entropy: 0, inputs: [{ type: 'act', seat, seq, action: FREE }] }, SEAT);
  return { box, sent, answers, link, confirm };
}

async function settled(promise: Promise<Sent>): Promise<Sent | 'waits'> {
  return Promise.race([promise, new Promise<'waits'>((resolve) => void setImmediate(() => resolve('waits')))]);
}

describe('actions on their way', () => {
  test('numbers go on above what the server has queued for the seat', async () => {
    const { box, sent, answers } = outbox();
    box.welcome(17);
    const reply = box.act(FREE);
    answers.shift()!({ ok: true });
    expect(await reply).toEqual({ ok: true, seq: 18 });
    expect(sent).toEqual([18]);
  });

  test('an action is kept until a tick brings it back from the own seat', () => {
    const { box, confirm } = outbox();
    void box.act(FREE);
    confirm(1, SEAT + 1);
    expect(box.size).toBe(1);
    confirm(1);
    expect(box.size).toBe(0);
  });

  test('what the broken link swallowed is sent again under its number; what the server has is not', async () => {
    const { box, sent, answers, link } = outbox();
    const first = box.act(FREE);
    const second = box.act(FREE);
    for (const answer of answers.splice(0)) answer({ ok: false, code: 'NO_LINK' });
    link.open = false;
    expect(await settled(second)).toBe('waits');
    link.open = true;
    box.welcome(1);
    expect(sent).toEqual([1, 2, 2]);
    expect(await first).toEqual({ ok: true, seq: 1 });
    answers.shift()!({ ok: true });
    expect(await second).toEqual({ ok: true, seq: 2 });
  });

  test('pressed without a link, it goes when the link is back', () => {
    const { box, sent, link } = outbox();
    link.open = false;
    void box.act(FREE);
    expect(sent).toEqual([]);
    link.open = true;
    box.welcome(0);
    expect(sent).toEqual([1]);
  });

  test('numbers that a bot took while it stood in are not mistaken for one’s own', async () => {
    const { box, sent, answers } = outbox();
    const first = box.act(FREE);
    const second = box.act(FREE);
    for (const answer of answers.splice(0)) answer({ ok: false, code: 'NO_LINK' });
    // The first arrived; 2 to 6 were the bot's.
    box.welcome(6, 1);
    expect(await first).toEqual({ ok: true, seq: 1 });
    expect(sent).toEqual([1, 2, 7]);
    answers.shift()!({ ok: true });
    expect(await second).toEqual({ ok: true, seq: 7 });
  });

  test('an action whose moment is over is not sent again', async () => {
    const { box, sent, link } = outbox();
    link.open = false;
    const old = box.act(FREE);
    link.time = STALE_MS + 1;
    box.expire();
    expect(await old).toEqual({ ok: false, code: 'NO_LINK' });
    link.open = true;
    box.welcome(0);
    expect(sent).toEqual([]);
  });

  test('a refusal is told and forgotten', async () => {
    const { box, answers } = outbox();
    const reply = box.act(FREE);
    answers.shift()!({ ok: false, code: 'TOO_FAST' });
    expect(await reply).toEqual({ ok: false, code: 'TOO_FAST' });
    expect(box.size).toBe(0);
  });

  test('when the session ends, everything that waits is answered', async () => {
    const { box } = outbox();
    const reply = box.act(FREE);
    box.close('KICKED');
    expect(await reply).toEqual({ ok: false, code: 'KICKED' });
  });
});
