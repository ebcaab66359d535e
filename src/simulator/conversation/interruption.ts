import type { Heard } from '../recogniser.ts';
import { checkLimit, compareWords, formatMs, wordsOf, type Check } from './assertions.ts';
import { StepFailed, type CallLog } from './call-log.ts';
import type { Ear, VoiceSpan } from './ear.ts';
import { agentLine } from './spoken-line.ts';
import { pause } from './waiting.ts';

/** How long somebody may speak on after the caller broke in before it counts as not interrupted. */
const SPEAKS_ON_MS = 6000;
const LOOK_MS = 20;

/**
 * When the agent fell silent whom the caller broke in on. Everything that sounded while the caller spoke
 * counts as the interrupted line, so that a pause between two sentences does not pass for obedience.
 *
 * @param caller when the caller's voice began and ended
 * @throws {StepFailed} when the agent speaks on.
 */
export async function silenceAfter(
  ear: Ear,
  caller: VoiceSpan,
  signal: AbortSignal,
): Promise<number> {
  const interrupted = () =>
    ear.spans.findLast(
      (span) => span.startedAt < caller.endedAt && span.endedAt > caller.startedAt,
    );
  const deadline = ear.now() + SPEAKS_ON_MS;
  while (ear.speaking && interrupted() === ear.spans.at(-1)) {
    if (ear.now() > deadline) throw new StepFailed('the agent spoke on when the caller broke in');
    await pause(LOOK_MS, signal);
  }
  return interrupted()?.endedAt ?? caller.startedAt;
}

/** Notes what was heard of the line that the caller broke in on, and how fast it ended. */
export function noteInterruption(found: {
  ear: Ear;
  log: CallLog;
  answeredAt: number;
  /** The caller's. */
  voice: VoiceSpan;
  silentAt: number;
  limitMs: number | undefined;
  /** What the agent was saying, where that is known. */
  onLine: string | undefined;
}): void {
  const { ear, log, answeredAt, voice, silentAt, limitMs, onLine } = found;
  const cut = ear.drain(voice.endedAt);
  for (const heard of cut) log.line({ ...agentLine(heard, answeredAt), interrupted: true });
  const silenceMs = silentAt - voice.startedAt;
  log.measure('break_in_to_silence', silenceMs);
  const [from, to] = [ear.epoch(voice.startedAt), ear.epoch(silentAt)];
  log.turns.push({ kind: 'break-in', from, to });
  log.check(...checkInterruption({ silenceMs, limitMs, heard: cut, onLine }));
}

/**
 * What is to be said of an interruption: how fast the silence came, and that the line was cut short.
 *
 * @param found.heard what was recognised of the line
 */
function checkInterruption(found: {
  silenceMs: number;
  limitMs: number | undefined;
  heard: readonly Heard[];
  onLine: string | undefined;
}): Check[] {
  const { silenceMs, limitMs, heard, onLine } = found;
  // A line is spoken in parts, of which the last may have been whole.
  const words = heard.flatMap(({ text }) => wordsOf(text ?? ''));
  const ended = onLine === undefined || compareWords(words, wordsOf(onLine)) === 'whole';
  const cut = heard.at(-1)?.complete !== true || !ended;
  return [
    limitMs === undefined
      ? { ok: true, what: `silent ${formatMs(silenceMs)} after the caller broke in` }
      : checkLimit('silent after the caller broke in:', silenceMs, limitMs),
    { ok: cut, what: cut ? 'the line was broken off' : 'the agent ended its sentence first' },
  ];
}
