import type { Heard } from '../recogniser.ts';
import { checkLimit, formatMs, type Check } from './assertions.ts';
import { StepFailed } from './call-log.ts';
import type { Ear, VoiceSpan } from './ear.ts';
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

/**
 * What is to be said of an interruption: how fast the silence came, and that the line was cut short.
 *
 * @param found.heard what was recognised of the line
 */
export function checkInterruption(found: {
  silenceMs: number;
  limitMs: number | undefined;
  heard: readonly Heard[];
}): Check[] {
  const { silenceMs, limitMs, heard } = found;
  const cut = heard.at(-1)?.complete !== true;
  return [
    limitMs === undefined
      ? { ok: true, what: `silent ${formatMs(silenceMs)} after the caller broke in` }
      : checkLimit('silent after the caller broke in:', silenceMs, limitMs),
    { ok: cut, what: cut ? 'the line was broken off' : 'the agent ended its sentence first' },
  ];
}
