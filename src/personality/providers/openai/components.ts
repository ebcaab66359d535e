import { LLM, STT } from '@livekit/agents-plugin-openai';
import type { llm, stt, tts } from '@livekit/agents';
import type { Config } from '../../../platform/config.ts';
import { credential, type BuildContext } from '../build-context.ts';
import type { LlmOptions, SttOptions, TtsOptions } from '../component-options.ts';
import { pluginOptions } from '../plugin-options.ts';
import { clientOf } from './client.ts';
import { StreamedTts } from './streamed-tts.ts';

type Of<T> = Extract<T, { provider: 'openai' }>;

/** A compatible server without a key still gets a header: the client refuses to go without. */
const NO_KEY = 'none';

export function buildStt(
  options: Of<SttOptions>,
  { config, language, vad }: BuildContext,
): stt.STT {
  const { server, rest } = split(options, config);
  return new STT({
    language,
    // Compatible servers have the file endpoint and seldom the WebSocket.
    useRealtime: server.baseURL === undefined,
    ...(vad ? { vad } : {}),
    ...pluginOptions(rest),
    ...server,
  });
}

export function buildLlm(options: Of<LlmOptions>, { config, connections }: BuildContext): llm.LLM {
  const { server, rest } = split(options, config);
  const client = clientOf(server, connections);
  return new LLM({ ...pluginOptions(rest), ...server, client });
}

export function buildTts(options: Of<TtsOptions>, { config, connections }: BuildContext): tts.TTS {
  const { server, rest } = split(options, config);
  const client = clientOf(server, connections);
  return new StreamedTts({ ...pluginOptions(rest), client });
}

/** Server and key, apart from what the plugin takes as it is. */
function split<T extends Of<SttOptions | LlmOptions | TtsOptions>>(options: T, config: Config) {
  const { provider: _, base_url, api_key_variable, ...rest } = options;
  const baseURL = base_url ?? config.OPENAI_BASE_URL;
  const apiKey =
    api_key_variable === undefined
      ? (config.OPENAI_API_KEY ?? NO_KEY)
      : credential(config, api_key_variable);
  return { server: { apiKey, ...(baseURL === undefined ? {} : { baseURL }) }, rest };
}
