import { beforeEach, describe, expect, it } from 'vitest';
import {
  callEvent,
  type CallEvent,
  type CallEventOf,
  type CallEventType,
} from '../call/call-event.ts';
import { newCallId } from '../call/call-id.ts';
import type { Applied } from '../call/ledger/record-events.ts';
import { createMetrics, type Registry } from '../platform/metrics.ts';
import { CallMetrics } from './call-metrics.ts';

const START = Date.parse('2026-06-01T12:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1000);

let registry: Registry;
let metrics: CallMetrics;
beforeEach(() => {
  registry = createMetrics('test');
  metrics = new CallMetrics(registry, {
    trunks: () => ['office'],
    personalities: () => ['receptionist'],
  });
});

/** What the ledger says after an event. */
function count<T extends CallEventType>(
  type: T,
  data: CallEventOf<T>['data'],
  call: Partial<Applied['call']>,
  seconds = 0,
): void {
  const event = { ...callEvent(type, newCallId(), data), at: at(seconds).getTime() } as CallEvent;
  const row = {
    direction: 'outbound',
    trunk: 'office',
    personality: 'receptionist',
    startedAt: at(0),
    request: {},
    outcome: null,
    sipStatus: null,
    dialedAt: null,
    ringingAt: null,
    answeredAt: null,
    endedAt: null,
    ...call,
  } as Applied['call'];
  metrics.count({ event, call: row, ended: type === 'call.ended' });
}

const samples = async (name: string) =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.replace(/,?service="test",?/, ''));

const ended = (outcome: CallEventOf<'call.ended'>['data']['outcome']) => ({
  outcome,
  reason: 'x',
  hungUpBy: 'system' as const,
});

describe('the figures of calls', () => {
  it('measure a wait from when the call was due, not from when it was ordered', async () => {
    const dialing = { trunk: 'office', attempt: 1 };
    count('call.dialing', dialing, { dialedAt: at(7) }, 7);
    expect(await samples('trunkline_dial_wait_seconds_sum')).toEqual([
      'trunkline_dial_wait_seconds_sum{trunk="office"} 7',
    ]);
    const request = { notBefore: at(3600).getTime() };
    count('call.dialing', dialing, { request }, 3602);
    count('call.dialing', { ...dialing, attempt: 2 }, { request }, 9999);
    expect(await samples('trunkline_dial_wait_seconds_sum')).toEqual([
      'trunkline_dial_wait_seconds_sum{trunk="office"} 9',
    ]);
  });

  it('count what the far end answered, each call once', async () => {
    const answered = { personality: 'receptionist', simulated: true };
    const talked = {
      dialedAt: at(0),
      answeredAt: at(4),
      endedAt: at(64),
      outcome: 'completed' as const,
    };
    count('call.answered', answered, { ...talked, outcome: null }, 4);
    count('call.ended', ended('completed'), { ...talked, sipStatus: 200 }, 64);
    count('call.ended', ended('busy'), {
      dialedAt: at(0),
      endedAt: at(2),
      sipStatus: 486,
      outcome: 'busy',
    });
    count('call.ended', ended('failed'), { dialedAt: at(0), endedAt: at(2), outcome: 'failed' });
    count('call.ended', ended('failed'), { dialedAt: at(0), sipStatus: 12_025, outcome: 'failed' });
    // Never dialled: nothing was answered.
    count('call.ended', ended('blocked'), { endedAt: at(1), outcome: 'blocked' });
    expect(await samples('trunkline_trunk_answers_total')).toEqual([
      'trunkline_trunk_answers_total{trunk="office",status="200",class="2xx"} 1',
      'trunkline_trunk_answers_total{trunk="office",status="486",class="4xx"} 1',
      'trunkline_trunk_answers_total{trunk="office",status="none",class="none"} 1',
      'trunkline_trunk_answers_total{trunk="office",status="other",class="other"} 1',
    ]);
    expect(await samples('trunkline_answer_seconds_sum')).toEqual([
      'trunkline_answer_seconds_sum{direction="outbound",trunk="office"} 4',
    ]);
    expect(await samples('trunkline_call_duration_seconds_sum')).toEqual([
      'trunkline_call_duration_seconds_sum{direction="outbound"} 60',
    ]);
  });

  it('take the answer of an inbound call from its arrival', async () => {
    const call = { direction: 'inbound' as const, ringingAt: at(1), answeredAt: at(2) };
    count('call.answered', { personality: 'receptionist', simulated: true }, call, 2);
    expect(await samples('trunkline_answer_seconds_sum')).toEqual([
      'trunkline_answer_seconds_sum{direction="inbound",trunk="office"} 1',
    ]);
    expect(await samples('trunkline_trunk_answers_total')).toEqual([]);
  });

  it('have no more labels than there are names, whatever events say', async () => {
    for (let index = 0; index < 50; index += 1) {
      const personality = `+12025550${100 + index}`;
      const trunk = `trunk-${index}`;
      count('call.ended', ended('completed'), { personality, trunk, outcome: 'completed' });
    }
    count('call.ended', ended('blocked'), { trunk: null, personality: null, outcome: 'blocked' });
    expect(await samples('trunkline_calls_ended_total')).toEqual([
      'trunkline_calls_ended_total{direction="outbound",trunk="other",personality="other",outcome="completed"} 50',
      'trunkline_calls_ended_total{direction="outbound",trunk="none",personality="other",outcome="blocked"} 1',
    ]);
  });

  it('measure for how long a call had no agent', async () => {
    count('call.taken_over', { cause: 'host_died', silentMs: 1200 }, {});
    count('call.taken_over', { cause: 'handover', silentMs: 400 }, {});
    expect(await samples('trunkline_take_over_silence_seconds_sum')).toEqual([
      'trunkline_take_over_silence_seconds_sum{cause="host_died"} 1.2',
      'trunkline_take_over_silence_seconds_sum{cause="handover"} 0.4',
    ]);
  });

  it('measure each stage of an answer that is known', async () => {
    const turn = { role: 'agent' as const, text: 'Hello.', interrupted: false };
    count('turn', { ...turn, latency: { llmFirstToken: 250, total: 900 } }, {});
    count('turn', { ...turn, role: 'caller', latency: { transcription: 150 } }, {});
    count('turn', turn, {});
    expect(await samples('trunkline_turn_latency_seconds_sum')).toEqual([
      'trunkline_turn_latency_seconds_sum{stage="llm_first_token"} 0.25',
      'trunkline_turn_latency_seconds_sum{stage="total"} 0.9',
      'trunkline_turn_latency_seconds_sum{stage="transcription"} 0.15',
    ]);
    expect(await samples('trunkline_turns_total')).toHaveLength(2);
  });
});
