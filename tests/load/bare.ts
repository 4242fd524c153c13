/** Nothing but the WebSocket library: the same number of sockets gets as many messages of the same size, and answers are as small. */
import { Counting, ws } from './counting.ts';
import { answerAll } from './wire.ts';

const SLOTS = 5;
const BEAT_MS = 20;
const ANSWER_BYTES = 20;

const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
await new Promise<void>((resolve) => server.on('listening', resolve));
const answer = Buffer.alloc(ANSWER_BYTES);
server.on('connection', (socket) => socket.on('message', () => socket.send(answer)));
const counting = new Counting(() => server.clients);
let timer: NodeJS.Timeout | undefined;

/** Groups of sockets take turns in five slots of a tick, as rooms do. */
function begin(groups: number, bytes: number): void {
  const sockets = [...server.clients];
  const size = Math.ceil(sockets.length / groups);
  let beat = 0;
  timer = setInterval(() => {
    beat += 1;
    for (let group = beat % SLOTS; group < groups; group += SLOTS) {
      const message = Buffer.alloc(bytes);
      for (const socket of sockets.slice(group * size, (group + 1) * size)) socket.send(message, { binary: true });
    }
  }, BEAT_MS);
}

answerAll(
  async (question) => {
    if (question.ask === 'send') return begin(question.groups, question.bytes);
    return question.ask === 'begin' ? counting.begin() : counting.end();
  },
  async () => {
    clearInterval(timer);
    server.close();
  },
);
process.send!({ port: server.address().port });
