import type { CallEnd } from './outcome.ts';

/** An outbound call that nobody had answered. */
export const CANCELED: CallEnd = {
  outcome: 'canceled',
  reason: 'The call was canceled before it was answered.',
  hungUpBy: 'operator',
};

/** A call that was on. */
export const ENDED_BY_OPERATOR: CallEnd = {
  outcome: 'completed',
  reason: 'The call was ended by an operator.',
  hungUpBy: 'operator',
};

/** A caller whom no agent had answered. */
export const REFUSED_BY_OPERATOR: CallEnd = {
  outcome: 'canceled',
  reason: 'The call was ended by an operator before it was answered.',
  hungUpBy: 'operator',
};

/** The far end has left us for where it was sent. */
export const TRANSFERRED: CallEnd = {
  outcome: 'completed',
  reason: 'The call was transferred.',
  hungUpBy: 'operator',
};
