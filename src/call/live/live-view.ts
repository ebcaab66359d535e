import type { CallEvent, CallEventOf } from '../call-event.ts';
import type { CallOrder } from '../order.ts';
import type { LiveBody, LiveBodyOf } from './live-event.ts';

/** What whoever watches should know of an outbound call that its events do not say. */
export type CallFacts = Pick<CallOrder, 'to' | 'personality' | 'publicId'>;

/** What whoever watches sees of an event; undefined where it is nothing to them. */
export function liveViewOf(event: CallEvent, facts?: CallFacts): LiveBody | undefined {
  const head = { at: new Date(event.at).toISOString(), call: event.call };
  switch (event.type) {
    case 'call.received': {
      const { from, to, trunk, personality } = event.data;
      return {
        type: 'call_started',
        ...head,
        direction: 'inbound',
        status: 'ringing',
        trunk,
        from: from === '' ? null : from,
        to: to === '' ? null : to,
        personality,
        call_id: null,
      };
    }
    case 'call.dialing':
      return {
        type: 'call_started',
        ...head,
        direction: 'outbound',
        status: 'dialing',
        trunk: event.data.trunk,
        from: event.data.from ?? null,
        to: facts?.to ?? null,
        personality: facts?.personality ?? null,
        call_id: facts?.publicId ?? null,
      };
    case 'call.ringing':
      return { type: 'state', ...head, status: 'ringing' };
    case 'call.answered':
      return {
        type: 'state',
        ...head,
        status: 'in_progress',
        personality: event.data.personality,
      };
    case 'turn':
      return { type: 'conversation_turn', ...head, ...turnOf(event.data) };
    case 'call.transfer':
      return { type: 'state', ...head, transfer: event.data.state };
    case 'call.taken_over': {
      const { cause, silentMs } = event.data;
      return { type: 'state', ...head, taken_over: { cause, silent_ms: silentMs } };
    }
    case 'call.ended': {
      const { outcome, reason, hungUpBy, sipStatus } = event.data;
      return {
        type: 'call_ended',
        ...head,
        outcome,
        reason,
        hung_up_by: hungUpBy,
        sip_status: sipStatus ?? null,
      };
    }
    case 'call.dtmf':
    case 'call.recorded':
    case 'call.usage':
      return undefined;
  }
}

/** What is told instead of a second start, as after a dial that the trunk refused. */
export function asState(start: LiveBodyOf<'call_started'>): LiveBodyOf<'state'> {
  return { ...start, type: 'state' };
}

function turnOf({ role, text, interrupted, latency }: CallEventOf<'turn'>['data']) {
  return {
    role,
    text,
    final: true,
    interrupted,
    ...(latency && {
      latency: {
        transcription: latency.transcription,
        end_of_turn: latency.endOfTurn,
        llm_first_token: latency.llmFirstToken,
        tts_first_byte: latency.ttsFirstByte,
        total: latency.total,
      },
    }),
  };
}
