import type { llm, stt, tts } from '@livekit/agents';
import { STT } from '@livekit/agents-plugin-deepgram';
import { LLM, TTS } from '@livekit/agents-plugin-openai';
import type { BuildContext } from '../build-context.ts';
import type { LlmOptions, SttOptions, TtsOptions } from '../component-options.ts';

type Of<T> = Extract<T, { provider: 'simulator' }>;

/** The plugins demand a key; the simulator takes any. */
const apiKey = 'simulator';

/** The simulator speaks Deepgram's protocol. */
export function buildStt(options: Of<SttOptions>, { config, language }: BuildContext): stt.STT {
  const baseUrl = `${config.SIMULATOR_URL.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/listen`;
  return new STT({ apiKey, baseUrl, language: options.language ?? language });
}

/** The simulator speaks OpenAI's protocol. */
export function buildLlm(options: Of<LlmOptions>, { config }: BuildContext): llm.LLM {
  return new LLM({ apiKey, baseURL: openaiUrl(config.SIMULATOR_URL), model: options.model });
}

export function buildTts(options: Of<TtsOptions>, { config, language }: BuildContext): tts.TTS {
  const voice = options.voice ?? (language.startsWith('de') ? 'sim-agent-de' : 'sim-agent-en');
  const speed = options.speed === undefined ? {} : { speed: options.speed };
  // The simulator has voices of its own names; the plugin's type lists OpenAI's.
  return new TTS({
    apiKey,
    baseURL: openaiUrl(config.SIMULATOR_URL),
    model: 'simulator',
    voice,
    ...speed,
  } as ConstructorParameters<typeof TTS>[0]);
}

function openaiUrl(simulatorUrl: string): string {
  return `${simulatorUrl.replace(/\/$/, '')}/v1`;
}
