import { z } from 'zod';
import { callDirections } from '../call/ledger/call-state.ts';
import type { Transcript } from '../call/transcript/transcript.ts';

export const transcriptSchema = z.object({
  id: z.string().describe('opaque id of the call'),
  direction: z.enum(callDirections),
  personality: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  started_at: z.iso.datetime(),
  answered_at: z.iso.datetime().nullable(),
  ended_at: z.iso
    .datetime()
    .nullable()
    .describe('null while it goes on: there may be more to come'),
  turns: z.array(
    z.object({
      role: z.enum(['caller', 'agent']).describe('`caller` is the person, on either side'),
      text: z.string(),
      interrupted: z.boolean().describe('the agent was broken off here'),
      at: z.iso.datetime().describe('when the turn was over'),
      offset_ms: z.number().describe('the same, from the answer on'),
    }),
  ),
  agent_lost: z
    .array(
      z.object({
        at: z.iso.datetime().describe('when the agent was heard again'),
        offset_ms: z.number(),
        silent_ms: z.number().describe('for so long the caller had no agent'),
      }),
    )
    .describe('where the agent was lost and another went on'),
});

export function viewTranscript(transcript: Transcript): z.infer<typeof transcriptSchema> {
  return {
    id: transcript.id,
    direction: transcript.direction,
    personality: transcript.personality ?? null,
    from: transcript.from ?? null,
    to: transcript.to ?? null,
    started_at: transcript.startedAt.toISOString(),
    answered_at: transcript.answeredAt?.toISOString() ?? null,
    ended_at: transcript.endedAt?.toISOString() ?? null,
    turns: transcript.lines.map(({ role, text, interrupted, at, offsetMs }) => ({
      role,
      text,
      interrupted,
      at: at.toISOString(),
      offset_ms: offsetMs,
    })),
    agent_lost: transcript.breaks.map(({ at, offsetMs, silentMs }) => ({
      at: at.toISOString(),
      offset_ms: offsetMs,
      silent_ms: silentMs,
    })),
  };
}
