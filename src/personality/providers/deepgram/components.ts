import type { stt, tts } from '@livekit/agents';
import { STT, TTS } from '@livekit/agents-plugin-deepgram';
import { credential, type BuildContext } from '../build-context.ts';
import type { SttOptions, TtsOptions } from '../component-options.ts';
import { pluginOptions } from '../plugin-options.ts';

export function buildStt(
  options: Extract<SttOptions, { provider: 'deepgram' }>,
  { config, language }: BuildContext,
): stt.STT {
  const { provider: _, ...rest } = options;
  const apiKey = credential(config, 'DEEPGRAM_API_KEY');
  return new STT({ language, ...pluginOptions(rest), apiKey });
}

export function buildTts(
  options: Extract<TtsOptions, { provider: 'deepgram' }>,
  { config }: BuildContext,
): tts.TTS {
  const { provider: _, ...rest } = options;
  return new TTS({ ...pluginOptions(rest), apiKey: credential(config, 'DEEPGRAM_API_KEY') });
}
