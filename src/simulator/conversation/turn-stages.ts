import type { VendorDiary } from '../vendor-diary.ts';
import type { LedgerTurn } from './ledger-client.ts';
import type { Measure } from './report.ts';

/** A turn that was measured at the ear; times are ms since the epoch. */
export type MeasuredTurn =
  | {
      kind: 'reply';
      /** The caller's words. */
      said: string;
      /** The end of the caller's voice. */
      from: number;
      /** Where the agent's line began, and its words. */
      to: number;
      reply: string;
    }
  | {
      kind: 'break-in';
      /** The beginning of the caller's voice. */
      from: number;
      /** The agent's last sound. */
      to: number;
    };

/** Clocks of processes of one machine agree, but what was measured of sound is rounded to its frames. */
const FRAME_MS = 20;

/**
 * The way of a turn through the system: when it passed each stage, counted from where it began at the phone. What
 * cannot be told from others (two calls that say the same at once) is left out.
 *
 * @param ledger the turns of the call as the worker told them
 */
export function stagesOf(
  turn: MeasuredTurn,
  diary: VendorDiary,
  ledger: readonly LedgerTurn[],
): Measure[] {
  const { from } = turn;
  const span = { from: from - FRAME_MS, to: turn.to };
  const stage = (name: Measure['name'], at: number | undefined): Measure[] =>
    at === undefined ? [] : [{ name, ms: Math.max(0, Math.round(at - from)) }];
  const passed = (at: number | undefined) =>
    at !== undefined && at >= span.from && at <= span.to ? at : undefined;
  const sent = (role: LedgerTurn['role'], moment: (turn: LedgerTurn) => number | undefined) =>
    ledger.filter((one) => one.role === role).flatMap((one) => passed(moment(one)) ?? []);
  if (turn.kind === 'break-in') {
    return [
      ...stage('break_in_first_sound_at_stt', diary.last('stt_first_sound', span)),
      ...stage('break_in_obeyed', sent('agent', ({ silentAt }) => silentAt).at(-1)),
    ];
  }
  // What is made ahead of the decision may be made more than once: the last was used.
  return [
    ...stage('turn_last_sound_at_stt', diary.last('stt_last_sound', span, turn.said)),
    ...stage('turn_transcript', diary.last('stt_transcript', span, turn.said)),
    ...stage('turn_decided', sent('caller', ({ decidedAt }) => decidedAt).at(-1)),
    ...stage('turn_llm_first_token', diary.last('llm_first_token', span, turn.reply)),
    ...stage('turn_tts_first_sound', diary.last('tts_first_sound', span, turn.reply)),
    ...stage('turn_first_sound_sent', sent('agent', ({ spokeAt }) => spokeAt).at(-1)),
  ];
}
