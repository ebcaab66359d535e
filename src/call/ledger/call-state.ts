import type { CallEvent } from '../call-event.ts';
import type { CallRow } from './schema.ts';

export const callDirections = ['inbound', 'outbound'] as const;
export type CallDirection = (typeof callDirections)[number];

/**
 * Where a call is in its life. It moves to the right only, whatever order its events arrive in:
 *
 *   outbound: queued → dialing → ringing → in_progress → ended
 *   inbound:                     ringing → in_progress → ended
 */
export const callStatuses = ['queued', 'dialing', 'ringing', 'in_progress', 'ended'] as const;
export type CallStatus = (typeof callStatuses)[number];

/** What an event may change of a call. */
export type CallState = Omit<
  CallRow,
  'workspace' | 'id' | 'publicId' | 'variables' | 'metadata' | 'request' | 'filedAt' | 'erasedAt'
>;

/**
 * The state of a call that the ledger first hears of through this event. Outbound calls are in the ledger
 * before anything can happen to them, so a call that nobody knows came in, unless it is being dialled.
 */
export function stateBefore(event: CallEvent): CallState {
  const dialled = event.type === 'call.dialing';
  return {
    direction: dialled ? 'outbound' : 'inbound',
    status: dialled ? 'dialing' : 'ringing',
    outcome: null,
    reason: null,
    hungUpBy: null,
    sipStatus: null,
    sipCallId: null,
    from: null,
    to: null,
    trunk: null,
    personality: null,
    simulated: false,
    turns: 0,
    usage: null,
    recording: null,
    startedAt: timeOf(event),
    dialedAt: null,
    ringingAt: null,
    answeredAt: null,
    endedAt: null,
  };
}

/**
 * The state of a call after one more event. Events may come in any order: the status never moves back, and
 * of several ends the first stands.
 *
 * @throws RangeError where the event's time is none.
 */
export function afterEvent(state: CallState, event: CallEvent): CallState {
  const at = timeOf(event);
  switch (event.type) {
    case 'call.received':
      return {
        ...state,
        direction: 'inbound',
        status: furthest(state.status, 'ringing'),
        from: event.data.from,
        to: event.data.to,
        trunk: event.data.trunk,
        personality: event.data.personality,
        simulated: event.data.simulated,
        sipCallId: event.data.sipCallId ?? state.sipCallId,
        startedAt: earliest(state.startedAt, at),
        ringingAt: state.ringingAt ?? at,
      };
    case 'call.dialing':
      return {
        ...state,
        status: furthest(state.status, 'dialing'),
        trunk: event.data.trunk,
        from: event.data.from ?? state.from,
        dialedAt: state.dialedAt ?? at,
      };
    case 'call.ringing':
      return {
        ...state,
        status: furthest(state.status, 'ringing'),
        sipCallId: event.data.sipCallId ?? state.sipCallId,
        ringingAt: state.ringingAt ?? at,
      };
    case 'call.answered':
      return {
        ...state,
        status: furthest(state.status, 'in_progress'),
        personality: event.data.personality,
        simulated: event.data.simulated,
        sipCallId: event.data.sipCallId ?? state.sipCallId,
        answeredAt: state.answeredAt ?? at,
      };
    case 'turn':
      return { ...state, turns: state.turns + 1 };
    case 'call.recorded':
      return { ...state, recording: event.data };
    case 'call.usage':
      return { ...state, usage: [...(state.usage ?? []), ...event.data.usage] };
    case 'call.transfer':
    case 'call.taken_over':
    case 'call.dtmf':
      return state;
    case 'call.ended':
      if (state.status === 'ended') return state;
      return {
        ...state,
        status: 'ended',
        outcome: event.data.outcome,
        reason: event.data.reason,
        hungUpBy: event.data.hungUpBy,
        sipStatus: event.data.sipStatus ?? null,
        sipCallId: event.data.sipCallId ?? state.sipCallId,
        endedAt: at,
      };
  }
}

/** @throws RangeError */
export function timeOf(event: Pick<CallEvent, 'at'>): Date {
  const at = new Date(event.at);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() > 9999) {
    throw new RangeError('the time of the event is none');
  }
  return at;
}

function furthest(a: CallStatus, b: CallStatus): CallStatus {
  return callStatuses.indexOf(a) >= callStatuses.indexOf(b) ? a : b;
}

function earliest(a: Date, b: Date): Date {
  return a < b ? a : b;
}
