import type { AcceptedCall } from '../../call/ledger/accept-order.ts';
import type { Applied } from '../../call/ledger/record-events.ts';
import type { CallRow, TurnRow } from '../../call/ledger/schema.ts';
import { plainText } from '../../call/transcript/plain-text.ts';
import { transcriptOf } from '../../call/transcript/transcript.ts';
import type { TrunkEvent } from '../../trunk/trunk-event.ts';
import type { OutgoingEvent } from '../../webhook/outgoing-event.ts';
import { viewCall, viewDurations } from '../call-view.ts';
import { viewLatency } from '../latency-summary.ts';
import { EVENT_VERSION, type WebhookEventOf, type WebhookEventType } from './event-types.ts';

/** What receivers are told of calls that were accepted. */
export function queuedEvents(accepted: readonly AcceptedCall[]): OutgoingEvent[] {
  return accepted.map(({ call, eventId, at }) =>
    outgoing({ ...envelope('call.queued', eventId, at), ...viewForEvent(call) }, call),
  );
}

/** Whether somebody is told what was said after this: the call is over, and something was said. */
export function bringsTranscript({ event, call, ended }: Applied): boolean {
  const late = event.type === 'turn' && call.status === 'ended';
  return (ended || late) && call.turns > 0;
}

/** What receivers are told of an event of a call. */
export function eventsOf(applied: Applied, turns: readonly TurnRow[]): OutgoingEvent[] {
  const { call } = applied;
  const event = mainEvent(applied);
  if (!event) return [];
  const callbackUrl = applied.ended ? call.request?.callbackUrl : undefined;
  const main = { ...outgoing(event, call), callbackUrl };
  if (!bringsTranscript(applied)) return [main];
  const transcript = transcriptEvent(applied, turns);
  return transcript ? [main, outgoing(transcript, call)] : [main];
}

function mainEvent({ event, call, ended }: Applied): AnyCallEvent | undefined {
  const view = viewForEvent(call);
  const head = <T extends WebhookEventType>(type: T) => ({
    ...envelope(type, event.id, new Date(event.at)),
    ...view,
  });
  switch (event.type) {
    case 'call.received':
    case 'call.dialing':
    case 'call.ringing':
    case 'call.answered':
      return head(event.type);
    case 'call.ended':
      // The first end counts; others change nothing.
      return ended ? head('call.ended') : undefined;
    case 'call.usage':
      return undefined;
    case 'turn': {
      const { role, text, interrupted, latency } = event.data;
      const measured = latency ? viewLatency(latency) : null;
      return { ...head('turn'), role, text, interrupted, latency: measured };
    }
    case 'call.taken_over': {
      const { cause, silentMs } = event.data;
      return {
        ...head('call.taken_over'),
        take_over_cause: cause,
        take_over_silent_ms: silentMs,
      };
    }
    case 'call.transfer': {
      const { state, by, reason, sipStatus } = event.data;
      return {
        ...head('call.transfer'),
        transfer_state: state,
        transfer_by: by,
        transfer_reason: reason ?? null,
        transfer_sip_status: sipStatus ?? null,
      };
    }
    case 'call.dtmf': {
      const { direction, count } = event.data;
      return { ...head('call.dtmf'), dtmf_direction: direction, dtmf_count: count };
    }
    case 'call.recorded': {
      const { durationMs, bytes } = event.data;
      return {
        ...head('call.recorded'),
        recording_url: `/api/calls/${call.id}/recording`,
        recording_duration_ms: durationMs,
        recording_bytes: bytes,
      };
    }
  }
}

function transcriptEvent(
  { event, call }: Applied,
  turns: readonly TurnRow[],
): WebhookEventOf<'transcript.ready'> | undefined {
  const transcript = transcriptOf({ call, turns: [...turns], timeline: [] });
  if (!transcript) return undefined;
  return {
    ...envelope('transcript.ready', `${event.id}-transcript`, new Date(event.at)),
    ...viewForEvent(call),
    transcript: plainText(transcript),
    transcript_turns: transcript.lines.map(({ role, text, interrupted, at }) => ({
      role,
      text,
      interrupted,
      at: at.toISOString(),
    })),
  };
}

/** What receivers are told of a trunk. */
export function trunkEventOf({ id, type, at, data }: TrunkEvent): OutgoingEvent {
  const { trunk, before, reason } = data;
  const payload: WebhookEventOf<'trunk.up' | 'trunk.degraded' | 'trunk.down'> = {
    ...envelope(type, id, new Date(at)),
    trunk,
    state: stateOf(type),
    previous_state: before ?? null,
    reason,
  };
  return { id, type, payload };
}

/** What an endpoint is sent to be tried out. */
export function testEventOf(endpoint: string, id: string): OutgoingEvent {
  const payload: WebhookEventOf<'webhook.test'> = {
    ...envelope('webhook.test', id, new Date()),
    endpoint,
    message: 'Trunkline can reach this endpoint.',
  };
  return { id, type: 'webhook.test', payload };
}

type AnyCallEvent = WebhookEventOf<
  Exclude<WebhookEventType, `trunk.${string}` | `webhook.${string}`>
>;

function outgoing(payload: AnyCallEvent, call: CallRow): OutgoingEvent {
  return { id: payload.event_id, type: payload.type, call: call.id, payload };
}

function envelope<T extends WebhookEventType>(type: T, id: string, at: Date) {
  return {
    event_id: id,
    type,
    version: EVENT_VERSION as typeof EVENT_VERSION,
    timestamp: at.toISOString(),
  };
}

function viewForEvent(call: CallRow) {
  return {
    ...viewCall(call),
    ...viewDurations(call),
    variables: call.variables ?? {},
    metadata: call.metadata ?? {},
  };
}

function stateOf(type: TrunkEvent['type']): 'up' | 'degraded' | 'down' {
  switch (type) {
    case 'trunk.up':
      return 'up';
    case 'trunk.degraded':
      return 'degraded';
    case 'trunk.down':
      return 'down';
  }
}
