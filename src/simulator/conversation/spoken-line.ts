import type { Heard } from '../recogniser.ts';
import type { VoiceSpan } from './ear.ts';
import type { SpokenLine } from './report.ts';

/** What was recognised of the agent, as the report tells it; both times are of the ear's clock. */
export function agentLine(heard: Heard, answeredAt: number): SpokenLine {
  const { text, confidence, complete, heardFrom, heardTo } = heard;
  const part = text === null || complete ? {} : { part: { from: heardFrom, to: heardTo } };
  return { who: 'agent', text, confidence, ...part, ...sinceAnswer(heard, answeredAt) };
}

export function callerLine(text: string, voice: VoiceSpan, answeredAt: number): SpokenLine {
  return { who: 'caller', text, ...sinceAnswer(voice, answeredAt) };
}

function sinceAnswer(span: VoiceSpan, answeredAt: number): VoiceSpan {
  return { startedAt: span.startedAt - answeredAt, endedAt: span.endedAt - answeredAt };
}
