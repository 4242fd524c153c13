/** The round of a room as a recording: from this page's own tape where that is whole, else from the server. */
import { roundHash, type Round } from '#game/round.ts';
import { askRound, askRounds } from './doors.ts';
import { lateRecording, recordingOf, type Recording } from './recording.ts';
import type { RoomFacts } from './Session.ts';
import type { Taped } from './Tape.ts';

export async function roomRecording({ saved, begins, ticks }: Taped, round: Round, room: RoomFacts | null): Promise<Recording> {
  const { roster = [], code = '', seat = -1 } = room ?? {};
  const askId = () => newestRound(code);
  const known = { roster, seat, code, hash: round.over ? roundHash(round) : null, askId };
  const own = lateRecording(saved, ticks, known);
  if (begins === 0) return own;
  // The beginning was before this page: the server has it, unless its disk failed.
  const id = await askId();
  const answer = id === null ? null : await askRound(id);
  if (answer?.ok !== true) return own;
  try {
    return recordingOf(answer.value.file, known);
  } catch {
    return own;
  }
}

async function newestRound(code: string): Promise<string | null> {
  const answer = await askRounds(code);
  return answer.ok ? (answer.value.rounds[0]?.id ?? null) : null;
}
