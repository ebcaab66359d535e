import type { Conversation, Step } from './schema.ts';

/**
 * A conversation with every limit of time so many times as long, for machines that are busy with other
 * things: what must be said and heard stays as it is. Pauses and silences stay, too.
 */
export function withPatience(conversation: Conversation, factor: number): Conversation {
  const longer = (limitMs: number) => Math.round(limitMs * factor);
  const patient = <T extends { steps: Step[]; expect: Conversation['expect'] }>(plan: T): T => {
    const { heard_first_word_within_ms: heard, answered_within_ms: answered } = plan.expect;
    return {
      ...plan,
      steps: plan.steps.map((step) => patientStep(step, longer)),
      expect: {
        ...plan.expect,
        ...(heard === undefined ? {} : { heard_first_word_within_ms: longer(heard) }),
        ...(answered === undefined ? {} : { answered_within_ms: longer(answered) }),
      },
    };
  };
  const { calls } = conversation;
  return { ...patient(conversation), ...(calls ? { calls: calls.map(patient) } : {}) };
}

function patientStep({ agent, caller }: Step, longer: (limitMs: number) => number): Step {
  if (agent) {
    const { within_ms: within, replies_within_ms: replies } = agent;
    return {
      agent: {
        ...agent,
        ...(within === undefined ? {} : { within_ms: longer(within) }),
        ...(replies === undefined ? {} : { replies_within_ms: longer(replies) }),
      },
    };
  }
  const silence = caller?.interrupts?.silence_within_ms;
  if (!caller?.interrupts || silence === undefined) return { caller };
  return {
    caller: {
      ...caller,
      interrupts: { ...caller.interrupts, silence_within_ms: longer(silence) },
    },
  };
}
