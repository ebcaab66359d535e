import { describe, expect, it } from 'vitest';
import type { TurnRow } from '../call/ledger/schema.ts';
import { summarise } from './latency-summary.ts';

function turns(latencies: TurnRow['latency'][]): TurnRow[] {
  return latencies.map((latency, index) => ({
    workspace: 'default',
    id: `evt_${index}`,
    callId: 'call_x',
    role: 'agent',
    text: '',
    interrupted: false,
    sequence: index,
    latency,
    at: new Date(),
  }));
}

describe('the latencies of a call', () => {
  it('are values that were measured, at the nearest rank', () => {
    const totals = Array.from({ length: 20 }, (_, index) => ({ total: (20 - index) * 100 }));
    const summary = summarise(turns([null, {}, ...totals, { llmFirstToken: 0 }]));
    expect(summary.reply).toEqual({ count: 20, p50: 1000, p95: 1900, max: 2000 });
    expect(summary.llm_first_token).toEqual({ count: 1, p50: 0, p95: 0, max: 0 });
  });

  it('are null where nothing was measured', () => {
    expect(summarise(turns([null, {}]))).toEqual({
      transcription: null,
      end_of_turn: null,
      llm_first_token: null,
      tts_first_byte: null,
      reply: null,
    });
  });
});
