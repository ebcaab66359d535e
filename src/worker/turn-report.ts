import type { llm } from '@livekit/agents';
import type { CallEventOf } from '../call/call-event.ts';

export type Turn = CallEventOf<'turn'>['data'];

/**
 * What one message of the conversation is worth telling: undefined where nothing was said aloud.
 *
 * @param heard what had been played of an interrupted message, where the framework knows it.
 */
export function turnOf(message: llm.ChatMessage, heard?: string): Turn | undefined {
  if (message.role !== 'user' && message.role !== 'assistant') return undefined;
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
    },
  };
}

/** From the framework's seconds. A transcript that is there before the speech ends gives less than 0. */
function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.max(0, Math.round(seconds * 1000));
}
