import { Counter, Histogram, type Registry } from 'prom-client';
import type { CallEventOf } from '../call/call-event.ts';
import type { Applied } from '../call/ledger/record-events.ts';

/** Names that there are now: what events say otherwise is `other`, so that labels stay few. */
export type KnownNames = {
  trunks: () => readonly string[];
  personalities: () => readonly string[];
};

type Latency = NonNullable<CallEventOf<'turn'>['data']['latency']>;

const STAGES = {
  transcription: 'transcription',
  endOfTurn: 'end_of_turn',
  llmFirstToken: 'llm_first_token',
  ttsFirstByte: 'tts_first_byte',
  total: 'total',
} as const satisfies Partial<Record<keyof Latency, string>>;

const RING_BUCKETS_S = [0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 80];
const WAIT_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/**
 * What calls and their turns were like, from the events. Each event is applied by one api and once, so that the
 * sum over all apis is the truth of the whole system, wherever the calls ran.
 */
export class CallMetrics {
  readonly #names: KnownNames;
  readonly #started: Counter<'direction' | 'trunk'>;
  readonly #ended: Counter<'direction' | 'trunk' | 'personality' | 'outcome'>;
  readonly #durations: Histogram<'direction'>;
  readonly #dialWaits: Histogram<'trunk'>;
  readonly #answers: Histogram<'direction' | 'trunk'>;
  readonly #sip: Counter<'trunk' | 'status' | 'class'>;
  readonly #stages: Histogram<'stage'>;
  readonly #silences: Histogram<'cause'>;
  readonly #turns: Counter<'role' | 'interrupted'>;
  readonly #delays: Histogram;

  constructor(registry: Registry, names: KnownNames) {
    this.#names = names;
    const registers = [registry];
    this.#started = new Counter({
      name: 'trunkline_calls_started_total',
      help: 'Calls that were dialled, or came in',
      labelNames: ['direction', 'trunk'],
      registers,
    });
    this.#ended = new Counter({
      name: 'trunkline_calls_ended_total',
      help: 'Calls that ended',
      labelNames: ['direction', 'trunk', 'personality', 'outcome'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'trunkline_call_duration_seconds',
      help: 'From the answer to the end of an answered call',
      labelNames: ['direction'],
      buckets: [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600],
      registers,
    });
    this.#dialWaits = new Histogram({
      name: 'trunkline_dial_wait_seconds',
      help: 'From when an outbound call was due (accepted, or its schedule_at) to its INVITE',
      labelNames: ['trunk'],
      buckets: WAIT_BUCKETS_S,
      registers,
    });
    this.#answers = new Histogram({
      name: 'trunkline_answer_seconds',
      help: 'Outbound: from the INVITE to the answer. Inbound: from the arrival until an agent answered',
      labelNames: ['direction', 'trunk'],
      buckets: RING_BUCKETS_S,
      registers,
    });
    this.#sip = new Counter({
      name: 'trunkline_trunk_answers_total',
      help: 'What the far end answered to our INVITEs: its final SIP status',
      labelNames: ['trunk', 'status', 'class'],
      registers,
    });
    this.#stages = new Histogram({
      name: 'trunkline_turn_latency_seconds',
      help: 'How long each stage of an answer in a conversation took',
      labelNames: ['stage'],
      buckets: [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10],
      registers,
    });
    this.#silences = new Histogram({
      name: 'trunkline_take_over_silence_seconds',
      help: 'For how long a call whose agent was lost had none',
      labelNames: ['cause'],
      buckets: [0.5, 1, 1.5, 2, 3, 5, 8, 13, 20],
      registers,
    });
    this.#turns = new Counter({
      name: 'trunkline_turns_total',
      help: 'Turns that were spoken',
      labelNames: ['role', 'interrupted'],
      registers,
    });
    this.#delays = new Histogram({
      name: 'trunkline_event_delay_seconds',
      help: 'From an event of a call until it is in the ledger',
      buckets: WAIT_BUCKETS_S,
      registers,
    });
  }

  count({ event, call, ended }: Applied): void {
    const trunk = this.#trunk(call.trunk);
    const { direction } = call;
    this.#delays.observe(Math.max(0, Date.now() - event.at) / 1000);
    switch (event.type) {
      case 'call.received':
        this.#started.inc({ direction, trunk });
        break;
      case 'call.dialing': {
        this.#started.inc({ direction, trunk });
        // Each later attempt waited for its turn too, but was not due when the call was.
        const due = Math.max(call.startedAt.getTime(), call.request?.notBefore ?? 0);
        if (event.data.attempt === 1) this.#dialWaits.observe({ trunk }, seconds(due, event.at));
        break;
      }
      case 'call.answered': {
        const since = direction === 'outbound' ? call.dialedAt : call.ringingAt;
        if (since) this.#answers.observe({ direction, trunk }, seconds(since.getTime(), event.at));
        if (direction === 'outbound') this.#sip.inc({ trunk, status: '200', class: '2xx' });
        break;
      }
      case 'turn':
        this.#turn(event.data);
        break;
      case 'call.ended':
        if (ended) this.#end(call, trunk);
        break;
      case 'call.taken_over': {
        const { cause, silentMs } = event.data;
        this.#silences.observe({ cause }, silentMs / 1000);
        break;
      }
      case 'call.ringing':
      case 'call.transfer':
      case 'call.dtmf':
      case 'call.recorded':
      case 'call.usage':
        break;
    }
  }

  #turn({ role, interrupted, latency }: CallEventOf<'turn'>['data']): void {
    this.#turns.inc({ role, interrupted: String(interrupted) });
    for (const [field, stage] of Object.entries(STAGES)) {
      const ms = latency?.[field as keyof Latency];
      if (ms !== undefined) this.#stages.observe({ stage }, ms / 1000);
    }
  }

  #end(call: Applied['call'], trunk: string): void {
    const { direction, outcome, answeredAt, endedAt } = call;
    const known = this.#names.personalities().includes(call.personality ?? '');
    const personality = known && call.personality ? call.personality : 'other';
    if (outcome) this.#ended.inc({ direction, trunk, personality, outcome });
    if (answeredAt && endedAt) {
      this.#durations.observe({ direction }, seconds(answeredAt.getTime(), endedAt.getTime()));
    } else if (direction === 'outbound' && call.dialedAt) {
      this.#sip.inc({ trunk, ...statusLabels(call.sipStatus) });
    }
  }

  #trunk(name: string | null): string {
    if (name === null) return 'none';
    return this.#names.trunks().includes(name) ? name : 'other';
  }
}

function seconds(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}

/** `none` where nothing came back: the trunk was silent, or the call was taken back before it answered. */
function statusLabels(status: number | null): { status: string; class: string } {
  if (status === null) return { status: 'none', class: 'none' };
  if (status < 300 || status > 699) return { status: 'other', class: 'other' };
  return { status: String(status), class: `${Math.floor(status / 100)}xx` };
}
