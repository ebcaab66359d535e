import { z } from 'zod';
import { baseUrl } from '../common-options.ts';

const provider = z.literal('deepgram');

/** Deepgram live transcription. https://developers.deepgram.com/reference/speech-to-text/listen-streaming */
export const deepgramStt = z.strictObject({
  provider,
  base_url: baseUrl.describe('absent: wss://api.deepgram.com'),
  model: z.string().default('nova-3'),
  language: z.string().optional().describe("absent: the personality's; `multi` for several"),
  smart_format: z.boolean().optional(),
  punctuate: z.boolean().optional(),
  interim_results: z.boolean().optional(),
  no_delay: z.boolean().optional(),
  endpointing: z.number().int().min(0).optional().describe('ms of silence that end a result'),
  utterance_end_ms: z.number().int().min(1000).optional(),
  filler_words: z.boolean().optional(),
  keyterm: z.array(z.string()).optional().describe('names and terms to expect (nova-3)'),
  keywords: z
    .array(z.tuple([z.string(), z.number()]))
    .optional()
    .describe('pairs of a word and its weight (nova-2)'),
  profanity_filter: z.boolean().optional(),
  redact: z.union([z.string(), z.array(z.string())]).optional(),
  replace: z.record(z.string(), z.string()).optional(),
  search: z.array(z.string()).optional(),
  dictation: z.boolean().optional(),
  diarize: z.boolean().optional(),
  numerals: z.boolean().optional(),
  mip_opt_out: z.boolean().optional(),
});

/** Deepgram speech. https://developers.deepgram.com/reference/text-to-speech/speak-streaming */
export const deepgramTts = z.strictObject({
  provider,
  base_url: baseUrl.describe('absent: https://api.deepgram.com'),
  model: z.string().default('aura-2-andromeda-en').describe('the voice, with its language'),
  speed: z.number().min(0.7).max(1.5).optional(),
  sample_rate: z.union([z.literal(8000), z.literal(16_000), z.literal(24_000)]).optional(),
  mip_opt_out: z.boolean().optional(),
});

export function deepgramVariables(): string[] {
  return ['DEEPGRAM_API_KEY'];
}
