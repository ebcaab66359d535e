import type { Direction, Personality } from './personality.ts';
import type { Variables } from './template.ts';

/** Variables that every prompt and greeting has, beside the parameters of the prompt. */
export const callVariableNames = [
  'agent_name',
  'caller_name',
  'direction',
  'language',
  'now',
  'today',
] as const;

/** Their values at a time. `caller_name` is empty until the call brings one. */
export function callVariables(
  personality: Pick<Personality, 'name' | 'language' | 'timezone'>,
  direction: Direction,
  at: Date,
): Variables & Record<(typeof callVariableNames)[number], string> {
  const { language, timezone: timeZone } = personality;
  return {
    agent_name: personality.name,
    caller_name: '',
    direction,
    language,
    now: new Intl.DateTimeFormat(language, { timeStyle: 'short', timeZone }).format(at),
    today: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeZone }).format(at),
  };
}
