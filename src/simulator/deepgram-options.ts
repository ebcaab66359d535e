import { z } from 'zod';

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** The query of a live transcription. What the stand-in has no use for (`model`, `keyterm`, …) it lets pass. */
const liveQuery = z.looseObject({
  encoding: z.literal('linear16', {
    message: 'must be linear16: the simulator hears nothing else',
  }),
  sample_rate: whole(8000, 48_000),
  channels: whole(1, 8).default(1),
  interim_results: flag,
  vad_events: flag,
  punctuate: flag,
  smart_format: flag,
  /** ms, or `false`: no `speech_final`. */
  endpointing: z
    .string()
    .default('10')
    .transform((text) => text !== 'false'),
  /** ms of silence after which `UtteranceEnd` is sent. */
  utterance_end_ms: whole(1000, 5000).optional(),
});

export type DeepgramOptions = {
  sampleRate: number;
  channels: number;
  interimResults: boolean;
  vadEvents: boolean;
  punctuate: boolean;
  endpointing: boolean;
  utteranceEndMs: number | undefined;
};

/** The options of a request, or what is wrong with its first bad one. */
export function readDeepgramOptions(query: URLSearchParams): DeepgramOptions | { problem: string } {
  const parsed = liveQuery.safeParse(Object.fromEntries(query));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `${issue?.path.join('.')}: ${issue?.message}` };
  }
  const given = parsed.data;
  return {
    sampleRate: given.sample_rate,
    channels: given.channels,
    interimResults: given.interim_results,
    vadEvents: given.vad_events,
    punctuate: given.punctuate || given.smart_format,
    endpointing: given.endpointing,
    utteranceEndMs: given.utterance_end_ms,
  };
}
