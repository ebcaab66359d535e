import { OperatorError } from '../platform/errors.ts';
import { callVariables } from './call-variables.ts';
import type { Direction, Personality } from './personality.ts';
import { fillTemplate, type Variables } from './template.ts';

/**
 * What the model is told in a call of this direction.
 *
 * @param variables values of the prompt's parameters, and of `caller_name`; others are ignored.
 * @throws {OperatorError} where a required parameter has no value, or the text cannot be filled in.
 */
export function renderPrompt(
  personality: Personality,
  direction: Direction,
  variables: Variables,
  at: Date = new Date(),
): string {
  const { key, text } = personality.prompts[direction];
  return fill(personality, direction, { variables, at, text, what: `the prompt ${key}` });
}

/**
 * What the model is told in a call that brings a prompt of its own: that one, verbatim, or the personality's and
 * then that one, as the personality says (`prompts.llm_prompt`).
 *
 * @throws as `renderPrompt` does; not where the call's prompt replaces the personality's.
 */
export function renderInstructions(
  personality: Personality,
  direction: Direction,
  variables: Variables,
  llmPrompt: string | undefined,
): string {
  if (llmPrompt !== undefined && personality.llmPrompt === 'replace') return llmPrompt;
  const prompt = renderPrompt(personality, direction, variables);
  return llmPrompt === undefined ? prompt : `${prompt.trimEnd()}\n\n${llmPrompt}`;
}

/** The agent's first words, or undefined where the personality has none. @throws as `renderPrompt` does. */
export function renderGreeting(
  personality: Personality,
  direction: Direction,
  variables: Variables,
  at: Date = new Date(),
): string | undefined {
  const text = personality.greeting[direction];
  if (text === undefined) return undefined;
  return fill(personality, direction, { variables, at, text, what: 'the greeting' }).trim();
}

/** Parameters that a call must give and these values do not. */
export function missingParameters(
  personality: Personality,
  direction: Direction,
  variables: Variables,
): string[] {
  const parameters = Object.entries(personality.prompts[direction].parameters);
  return parameters
    .filter(([name, { required }]) => required && (variables[name] ?? '') === '')
    .map(([name]) => name);
}

function fill(
  personality: Personality,
  direction: Direction,
  request: { variables: Variables; at: Date; text: string; what: string },
): string {
  const missing = missingParameters(personality, direction, request.variables);
  if (missing.length > 0) {
    throw new OperatorError(`${personality.key} needs the variables ${missing.join(', ')}`, {
      remedy: 'Give them in the order (variables), or give them defaults in prompts.yaml.',
    });
  }
  const defaults = Object.entries(personality.prompts[direction].parameters).map(
    ([name, parameter]) => [name, parameter.default ?? ''],
  );
  try {
    return fillTemplate(request.text, {
      ...callVariables(personality, direction, request.at),
      ...Object.fromEntries(defaults),
      ...request.variables,
    });
  } catch (cause) {
    throw new OperatorError(`${request.what} of ${personality.key} cannot be filled in`, {
      remedy: `Try it with \`trunkline personality show ${personality.key}\`.`,
      cause,
    });
  }
}
