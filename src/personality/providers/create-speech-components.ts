import type { llm, stt, tts, VAD } from '@livekit/agents';
import type { Config } from '../../platform/config.ts';
import type { Personality } from '../personality.ts';
import type { BuildContext } from './build-context.ts';
import type { KeptConnections } from './kept-connections.ts';
import type { LlmOptions, SttOptions, TtsOptions, VadOptions } from './component-options.ts';

export type SpeechComponents = { stt: stt.STT; llm: llm.LLM; tts: tts.TTS };

/**
 * The framework's ears, brain and voice of a personality. Only the plugins that it names are loaded; no
 * connection is made yet. The framework's logger must be there (`initializeLogger`).
 *
 * @param options.vad a shared detector for an STT that needs one; without it such an STT makes its own.
 * @throws {OperatorError} naming a variable that is not set.
 */
export async function createSpeechComponents(
  personality: Personality,
  options: { config: Config; vad?: VAD; connections?: KeptConnections },
): Promise<SpeechComponents> {
  const context: BuildContext = {
    config: options.config,
    language: personality.language,
    vad: options.vad,
    connections: options.connections,
  };
  const [stt, llm, tts] = await Promise.all([
    buildStt(personality.components.stt, context),
    buildLlm(personality.components.llm, context),
    buildTts(personality.components.tts, context),
  ]);
  return { stt, llm, tts };
}

/** The detector of a personality; loading one takes time, so processes share them where the options agree. */
export async function createVad({ components: { vad } }: Personality): Promise<VAD> {
  return buildVad(vad);
}

export async function buildStt(options: SttOptions, context: BuildContext): Promise<stt.STT> {
  switch (options.provider) {
    case 'openai':
      return (await import('./openai/components.ts')).buildStt(options, context);
    case 'deepgram':
      return (await import('./deepgram/components.ts')).buildStt(options, context);
    case 'azure':
      return (await import('./azure/components.ts')).buildStt(options, context);
    case 'simulator':
      return (await import('./simulator/components.ts')).buildStt(options, context);
  }
}

export async function buildLlm(options: LlmOptions, context: BuildContext): Promise<llm.LLM> {
  switch (options.provider) {
    case 'openai':
      return (await import('./openai/components.ts')).buildLlm(options, context);
    case 'azure_openai':
      return (await import('./azure-openai/components.ts')).buildLlm(options, context);
    case 'simulator':
      return (await import('./simulator/components.ts')).buildLlm(options, context);
  }
}

export async function buildTts(options: TtsOptions, context: BuildContext): Promise<tts.TTS> {
  switch (options.provider) {
    case 'openai':
      return (await import('./openai/components.ts')).buildTts(options, context);
    case 'deepgram':
      return (await import('./deepgram/components.ts')).buildTts(options, context);
    case 'azure':
      return (await import('./azure/components.ts')).buildTts(options, context);
    case 'simulator':
      return (await import('./simulator/components.ts')).buildTts(options, context);
  }
}

async function buildVad(options: VadOptions): Promise<VAD> {
  switch (options.provider) {
    case 'silero':
      return (await import('./vad/silero.ts')).buildVad(options);
    case 'bundled':
      return (await import('./vad/bundled.ts')).buildVad(options);
  }
}
