import type { TimedWord } from './transcription.ts';

/**
 * The messages of Deepgram's live transcription, as far as the stand-in sends them.
 * @see https://developers.deepgram.com/docs/live-streaming-audio
 */
export type DeepgramMessage =
  | {
      type: 'Results';
      channel_index: [number, number];
      /** Seconds, here and below. */
      duration: number;
      start: number;
      is_final: boolean;
      speech_final: boolean;
      from_finalize: boolean;
      channel: { alternatives: DeepgramAlternative[] };
      metadata: { request_id: string; model_info: typeof MODEL_INFO; model_uuid: string };
    }
  | { type: 'SpeechStarted'; channel: [number, number]; timestamp: number }
  | { type: 'UtteranceEnd'; channel: [number, number]; last_word_end: number }
  | {
      type: 'Metadata';
      transaction_key: 'deprecated';
      request_id: string;
      sha256: string;
      created: string;
      duration: number;
      channels: number;
      models: string[];
      model_info: Record<string, typeof MODEL_INFO>;
    };

export type DeepgramAlternative = {
  transcript: string;
  confidence: number;
  words: {
    word: string;
    punctuated_word?: string;
    start: number;
    end: number;
    confidence: number;
  }[];
};

export const MODEL_UUID = '00000000-0000-4000-8000-000000000001';
export const MODEL_INFO = { name: 'trunkline-simulator', version: '1', arch: 'simulator' };

/** One way to read the sound; without punctuation, as Deepgram's `punctuate=false` gives it. */
export function alternativeOf(
  words: readonly TimedWord[],
  confidence: number,
  punctuate: boolean,
): DeepgramAlternative {
  const plain = (word: string) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}'’-]/gu, '');
  return {
    transcript: words.map(({ word }) => (punctuate ? word : plain(word))).join(' '),
    confidence,
    words: words.map(({ word, startedAt, endedAt }) => ({
      word: plain(word),
      ...(punctuate ? { punctuated_word: word } : {}),
      start: startedAt / 1000,
      end: endedAt / 1000,
      confidence,
    })),
  };
}
