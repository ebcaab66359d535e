import { z } from 'zod';
import type { TurnRow } from '../call/ledger/schema.ts';

type Latency = NonNullable<TurnRow['latency']>;

const ms = z.number();
const moment = z.iso.datetime().optional();

/** How long the stages of one answer took. */
export const latencySchema = z
  .object({
    transcription: ms.optional().describe('from the end of speech to its transcript'),
    end_of_turn: ms
      .optional()
      .describe('from the end of speech to the decision that it was the end'),
    llm_first_token: ms.optional().describe('from the question to the first word of the model'),
    tts_first_byte: ms.optional().describe('from the first words to the first sound'),
    total: ms.optional().describe('from the end of speech to the first sound of the reply'),
    decided_at: moment.describe('when it was decided that the caller had finished'),
    spoke_at: moment.describe("when the agent's first sound left for the room"),
    silent_at: moment.describe('when the agent fell silent that was broken off'),
  })
  .describe('stages in ms, those that were measured');

const spread = z
  .object({
    count: z.number().int().describe('how many were measured'),
    p50: ms,
    p95: ms,
    max: ms,
  })
  .nullable();

/** The same of all turns of a call. */
export const latencySummarySchema = z
  .object({
    transcription: spread,
    end_of_turn: spread,
    llm_first_token: spread,
    tts_first_byte: spread,
    reply: spread.describe('from the end of speech to the first sound of the reply'),
  })
  .describe('ms; null where a stage was not measured');

export function viewLatency(latency: Latency): z.infer<typeof latencySchema> {
  return {
    transcription: latency.transcription,
    end_of_turn: latency.endOfTurn,
    llm_first_token: latency.llmFirstToken,
    tts_first_byte: latency.ttsFirstByte,
    total: latency.total,
    decided_at: isoTime(latency.decidedAt),
    spoke_at: isoTime(latency.spokeAt),
    silent_at: isoTime(latency.silentAt),
  };
}

export function summarise(turns: readonly TurnRow[]): z.infer<typeof latencySummarySchema> {
  const of = (stage: keyof Latency) =>
    spreadOf(turns.flatMap(({ latency }) => latency?.[stage] ?? []));
  return {
    transcription: of('transcription'),
    end_of_turn: of('endOfTurn'),
    llm_first_token: of('llmFirstToken'),
    tts_first_byte: of('ttsFirstByte'),
    reply: of('total'),
  };
}

function isoTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** Percentiles by the nearest rank: each is a value that was measured. */
function spreadOf(values: readonly number[]): z.infer<typeof spread> {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  if (sorted.length === 0) return null;
  return { count: sorted.length, p50: rank(0.5), p95: rank(0.95), max: rank(1) };
}
