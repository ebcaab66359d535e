import type { stt, tts } from '@livekit/agents';
import type { BuildContext } from '../build-context.ts';
import type { SttOptions, TtsOptions } from '../component-options.ts';
import { AzureStt } from './azure-stt.ts';
import { AzureTts } from './azure-tts.ts';
import { azureResource } from './speech-config.ts';

export function buildStt(
  options: Extract<SttOptions, { provider: 'azure' }>,
  { config, language }: BuildContext,
): stt.STT {
  return new AzureStt({
    resource: azureResource(options, config),
    language: options.language ?? language,
    phrases: options.phrases ?? [],
    segmentationSilenceMs: options.segmentation_silence ?? 300,
    profanity: options.profanity,
    modelId: options.model_id,
  });
}

export function buildTts(
  options: Extract<TtsOptions, { provider: 'azure' }>,
  { config, language }: BuildContext,
): tts.TTS {
  return new AzureTts({
    resource: azureResource(options, config),
    language: options.language ?? language,
    voice: options.voice,
    speed: options.speed,
    pitch: options.pitch,
    style: options.style,
  });
}
