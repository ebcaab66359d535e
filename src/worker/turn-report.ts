import type { llm } from '@livekit/agents';
import type { CallEventOf } from '../call/call-event.ts';

export type Turn = CallEventOf<'turn'>['data'];

/**
 * What one message of the conversation is worth telling: undefined where nothing was said aloud.
 *
 * @param cut of an interrupted message, what had been played where the framework knows it, and when the agent
 *   fell silent (ms since the epoch).
 */
export function turnOf(
  message: llm.ChatMessage,
  cut: { heard?: string | undefined; silentAt?: number | undefined } = {},
): Turn | undefined {
  if (message.role !== 'user' && message.role !== 'assistant') return undefined;
  const { heard } = cut;
  const whole = message.textContent?.trim() ?? '';
  const text =
    message.interrupted && heard !== undefined && whole.startsWith(heard.trim())
      ? heard.trim()
      : whole;
  if (text === '') return undefined;
  const { metrics } = message;
  return {
    role: message.role === 'user' ? 'caller' : 'agent',
    text,
    interrupted: message.interrupted,
    latency: {
      transcription: milliseconds(metrics.transcriptionDelay),
      endOfTurn: milliseconds(metrics.endOfTurnDelay),
      llmFirstToken: milliseconds(metrics.llmNodeTtft),
      ttsFirstByte: milliseconds(metrics.ttsNodeTtfb),
      total: milliseconds(metrics.e2eLatency),
      ...momentsOf(message, cut.silentAt),
    },
  };
}

function momentsOf(
  { role, metrics, interrupted }: llm.ChatMessage,
  silentAt: number | undefined,
): Pick<NonNullable<Turn['latency']>, 'decidedAt' | 'spokeAt' | 'silentAt'> {
  const { startedSpeakingAt, stoppedSpeakingAt, endOfTurnDelay } = metrics;
  if (role === 'user') {
    if (stoppedSpeakingAt === undefined || endOfTurnDelay === undefined) return {};
    return { decidedAt: milliseconds(stoppedSpeakingAt + endOfTurnDelay) };
  }
  return {
    spokeAt: milliseconds(startedSpeakingAt),
    silentAt: interrupted ? silentAt : undefined,
  };
}

/** From the framework's seconds. A transcript that is there before the speech ends gives less than 0. */
function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.max(0, Math.round(seconds * 1000));
}
