/**
 * `npm run load -- --rooms 25 --players 40 --seconds 60 [--json]`: P7 and P8 of quality.md. The server runs in one process with its
 * log on the disk, all clients in a second; rooms are added in five steps, and each step is looked at for a fifth of the seconds. Then
 * the same number of sockets is served by the WebSocket library alone. Both sides are compared by messages a second of
 * processor time, which other work on the machine does not change; lateness it does: run it on a quiet machine.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import { Worker, type LoadRoom, type Window } from './wire.ts';

const HOUSE = new URL('./house.ts', import.meta.url);
const CROWD = new URL('./crowd.ts', import.meta.url);
const BARE = new URL('./bare.ts', import.meta.url);

const STEPS = 5;
const LATE_MS_MAX = 50;
const ROUND_SECONDS = 3600;
/** Joining makes work of its own, which is not what is measured. */
const SETTLE_MS = 2000;

const { values } = parseArgs({
  options: {
    rooms: { type: 'string', default: '25' },
    players: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
const [rooms, players, seconds] = (['rooms', 'players', 'seconds'] as const).map((name) => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1, not ${values[name]}`);
  return value;
}) as [number, number, number];
const windowMs = Math.max(2000, (seconds * 1000) / STEPS);
const say = (line: string): void => void (values.json || console.log(line));

interface Step extends Window {
  rooms: number;
  players: number;
}

async function look(server: Worker): Promise<Window> {
  await server.ask({ ask: 'begin' });
  await wait(windowMs);
  return server.ask<Window>({ ask: 'end' });
}

async function makeRoom(url: string): Promise<LoadRoom> {
  const hostSecret = randomBytes(16).toString('hex');
  const body = JSON.stringify({ scenario: 'first-touch', secret: hostSecret, seconds: ROUND_SECONDS, seats: players });
  for (;;) {
    const answer = await fetch(`${url}/api/rooms`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { code, error } = (await answer.json()) as { code: string; error?: string };
    if (answer.status === 201) return { code, hostSecret };
    if (error !== 'TOO_FAST') throw new Error(`no room: ${error}`);
    await wait(1000);
  }
}

async function climb(): Promise<Step[]> {
  const [house, crowd] = [new Worker(HOUSE), new Worker(CROWD)];
  const steps: Step[] = [];
  try {
    const [{ port }] = await Promise.all([house.ask<{ port: number }>(null), crowd.ask(null)]);
    const url = `http://127.0.0.1:${port}`;
    for (let step = 1, made = 0; step <= STEPS; step++) {
      const wanted = Math.max(1, Math.round((rooms * step) / STEPS));
      if (wanted === made) continue;
      const more = await Promise.all(Array.from({ length: wanted - made }, () => makeRoom(url)));
      made = wanted;
      for (const line of await crowd.ask<string[]>({ ask: 'play', url, rooms: more, players })) say(`  ${line}`);
      await wait(SETTLE_MS);
      const seen = { ...(await look(house)), rooms: made, players: made * players };
      steps.push(seen);
      say(line(seen));
    }
  } finally {
    await crowd.end();
    await house.end();
  }
  return steps;
}

/** The library alone, with as many sockets, messages a second and bytes a message as the last step had. */
async function compare(last: Step): Promise<Window> {
  const [server, crowd] = [new Worker(BARE), new Worker(CROWD)];
  try {
    const [{ port }] = await Promise.all([server.ask<{ port: number }>(null), crowd.ask(null)]);
    await crowd.ask({ ask: 'listen', url: `ws://127.0.0.1:${port}`, sockets: last.clients });
    await server.ask({ ask: 'send', groups: last.rooms, bytes: Math.max(1, Math.round(last.bytesPerSecond / TICKS_PER_SECOND)) });
    await wait(SETTLE_MS);
    return await look(server);
  } finally {
    await crowd.end();
    await server.end();
  }
}

const perCpuSecond = ({ sent, cpuMs }: Window): number => (sent * 1000) / cpuMs;
const cpuShare = ({ cpuMs, ms }: Window): number => cpuMs / ms;

function line(step: Step): string {
  const [p50, p95, p99] = step.late.map((ms) => ms.toFixed(1));
  return (
    `${String(step.rooms).padStart(4)} rooms ${String(step.players).padStart(5)} players   core ${(100 * cpuShare(step)).toFixed(0).padStart(3)} %   ` +
    `late p50 ${p50} p95 ${p95} p99 ${p99} ms   ${step.bytesPerSecond.toFixed(0)} B/s a client   ` +
    `${((step.sent * 1000) / step.ms).toFixed(0)} messages/s   ${step.rssMb.toFixed(0)} MB`
  );
}

say(`${rooms} rooms of ${players}, ${STEPS} steps of ${windowMs / 1000} s, ${availableParallelism()} cores`);
const steps = await climb();
const last = steps.at(-1)!;
const bare = await compare(last);
const good = steps.filter((step) => step.late[1] <= LATE_MS_MAX);
const most = good.at(-1) ?? null;
const ratio = perCpuSecond(last) / perCpuSecond(bare);
const result = {
  P7: {
    players: most?.players ?? 0,
    /** Whether a step was above the bound, so that the number is a bound from both sides. */
    reached: good.length < steps.length,
    p95Ms: most?.late[1] ?? null,
    playersPerBusyCore: Math.round(last.players / cpuShare(last)),
    messageRatio: ratio,
  },
  P8: { bytesPerSecond: last.bytesPerSecond },
  steps,
  bare,
};
say('');
say(
  `P7  ${result.P7.reached ? '' : '≥ '}${result.P7.players} players with p95 lateness ≤ ${LATE_MS_MAX} ms` +
    `${result.P7.reached ? '' : ' (no step was above it)'}; by processor time one core would be busy with ${result.P7.playersPerBusyCore} (must 1,000, stretch 2,000)`,
);
say(
  `    messages a second of processor time: ${perCpuSecond(last).toFixed(0)} with the game, ${perCpuSecond(bare).toFixed(0)} by the bare library: ` +
    `ratio ${ratio.toFixed(2)} (must 0.5)`,
);
say(`P8  ${last.bytesPerSecond.toFixed(0)} bytes a second to the median client, all included (must 2,048, stretch 1,024)`);
if (values.json) console.log(JSON.stringify(result));
