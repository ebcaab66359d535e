import type { Leg } from '../leg.ts';
import { StepFailed } from './call-log.ts';
import { pause } from './waiting.ts';

/**
 * Aborts when the line ends, with a sentence that says who ended it.
 *
 * @param graceMs what was said just before the end is recognised only then
 */
export function lineDown(leg: Leg, graceMs: number): AbortSignal {
  const down = new AbortController();
  const noteEnd = async () => {
    const { by, reason } = await leg.ended;
    const who = by === 'remote' ? "the agent's side" : 'this side';
    await pause(graceMs, down.signal);
    down.abort(new StepFailed(`${who} ended the call (${reason}) before the steps were done`));
  };
  void noteEnd();
  return down.signal;
}
