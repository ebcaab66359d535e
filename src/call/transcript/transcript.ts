import type { CallRecord } from '../ledger/ledger.ts';

export type Line = {
  role: 'caller' | 'agent';
  text: string;
  interrupted: boolean;
  /** When the turn was over. */
  at: Date;
  /** From the answer (of a call that was not answered: from its beginning) to the end of the turn. */
  offsetMs: number;
};

/** The agent was lost, and another went on. */
type Break = {
  /** When the agent was heard again. */
  at: Date;
  offsetMs: number;
  silentMs: number;
};

/** What was said in a call, as the formats of this folder write it. */
export type Transcript = {
  id: string;
  direction: 'inbound' | 'outbound';
  personality: string | undefined;
  from: string | undefined;
  to: string | undefined;
  startedAt: Date;
  answeredAt: Date | undefined;
  endedAt: Date | undefined;
  outcome: string | undefined;
  reason: string | undefined;
  lines: readonly Line[];
  breaks: readonly Break[];
};

/** The transcript of a call; undefined where there is none: nobody spoke, or it has been erased. */
export function transcriptOf({ call, turns, timeline }: CallRecord): Transcript | undefined {
  if (turns.length === 0 || call.erasedAt !== null) return undefined;
  const zero = (call.answeredAt ?? call.startedAt).getTime();
  const offsetOf = (at: Date) => Math.max(0, at.getTime() - zero);
  return {
    id: call.id,
    direction: call.direction,
    personality: call.personality ?? undefined,
    from: call.from ?? undefined,
    to: call.to ?? undefined,
    startedAt: call.startedAt,
    answeredAt: call.answeredAt ?? undefined,
    endedAt: call.endedAt ?? undefined,
    outcome: call.outcome ?? undefined,
    reason: call.reason ?? undefined,
    lines: turns.map(({ role, text, interrupted, at }) => ({
      role,
      text,
      interrupted,
      at,
      offsetMs: offsetOf(at),
    })),
    breaks: timeline.flatMap(({ type, at, data }) =>
      type === 'call.taken_over' && typeof data['silentMs'] === 'number'
        ? [{ at, offsetMs: offsetOf(at), silentMs: data['silentMs'] }]
        : [],
    ),
  };
}

/** What people read, in order. */
export function entriesOf({
  lines,
  breaks,
}: Transcript): (({ kind: 'line' } & Line) | ({ kind: 'break' } & Break))[] {
  return [
    ...breaks.map((pause) => ({ kind: 'break' as const, ...pause })),
    ...lines.map((line) => ({ kind: 'line' as const, ...line })),
  ].toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/** What a break was, for people. */
export function sentenceOf({ silentMs }: Break): string {
  return `the agent was lost for ${(silentMs / 1000).toFixed(1)} s`;
}

/** Who speaks, for people: in a call that we made, the person is not the caller. */
export function speakerOf(
  { direction }: Transcript,
  { role }: Line,
): 'Agent' | 'Caller' | 'Callee' {
  if (role === 'agent') return 'Agent';
  return direction === 'inbound' ? 'Caller' : 'Callee';
}
