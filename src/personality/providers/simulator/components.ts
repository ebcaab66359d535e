import type { llm, stt, tts } from '@livekit/agents';
import { STT } from '@livekit/agents-plugin-deepgram';
import { LLM } from '@livekit/agents-plugin-openai';
import type { BuildContext } from '../build-context.ts';
import type { LlmOptions, SttOptions, TtsOptions } from '../component-options.ts';
import { clientOf } from '../openai/client.ts';
import { StreamedTts } from '../openai/streamed-tts.ts';

type Of<T> = Extract<T, { provider: 'simulator' }>;

/** The plugins demand a key; the simulator takes any. */
const apiKey = 'simulator';

/** The simulator speaks Deepgram's protocol. */
export function buildStt(options: Of<SttOptions>, { config, language }: BuildContext): stt.STT {
  const baseUrl = `${config.SIMULATOR_URL.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/listen`;
  return new STT({ apiKey, baseUrl, language: options.language ?? language });
}

/** The simulator speaks OpenAI's protocol. */
export function buildLlm(options: Of<LlmOptions>, { config, connections }: BuildContext): llm.LLM {
  const baseURL = openaiUrl(config.SIMULATOR_URL);
  const client = clientOf({ apiKey, baseURL }, connections);
  return new LLM({ apiKey, baseURL, client, model: options.model });
}

export function buildTts(
  options: Of<TtsOptions>,
  { config, language, connections }: BuildContext,
): tts.TTS {
  const voice = options.voice ?? (language.startsWith('de') ? 'sim-agent-de' : 'sim-agent-en');
  return new StreamedTts({
    client: clientOf({ apiKey, baseURL: openaiUrl(config.SIMULATOR_URL) }, connections),
    model: 'simulator',
    voice,
    speed: options.speed,
  });
}

function openaiUrl(simulatorUrl: string): string {
  return `${simulatorUrl.replace(/\/$/, '')}/v1`;
}
