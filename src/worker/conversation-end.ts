import type { CallEnd } from '../call/outcome.ts';

/** The model called its tool for it. */
export const HUNG_UP: CallEnd = {
  outcome: 'completed',
  reason: 'The agent ended the call.',
  hungUpBy: 'agent',
};
/** Silence for longer than the personality permits. */
export const SILENT: CallEnd = {
  outcome: 'completed',
  reason: 'Nobody spoke any more, so the agent ended the call.',
  hungUpBy: 'agent',
};
/** The same, where not even silence came from the far end: a phone on hold, or a line that is broken. */
export const MUTE: CallEnd = {
  outcome: 'completed',
  reason: 'No sound came from the far end any more, so the agent ended the call.',
  hungUpBy: 'agent',
};
/** The call lasted as long as the personality permits. */
export const TIME_IS_UP: CallEnd = {
  outcome: 'completed',
  reason: 'The longest duration of a call was reached.',
  hungUpBy: 'system',
};
/** The session ended of itself. */
export const LOST: CallEnd = {
  outcome: 'failed',
  reason: 'The conversation broke off.',
  hungUpBy: 'system',
};
