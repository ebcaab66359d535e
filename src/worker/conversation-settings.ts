import type { Direction, Personality, TurnSettings } from '../personality/personality.ts';
import { renderGreeting, renderInstructions } from '../personality/render.ts';
import type { Variables } from '../personality/template.ts';
import type { SilenceLimits } from './silence-watch.ts';
import { spokenWords, type SpokenWords } from './spoken-words.ts';
import type { VendorNames } from './vendor-watch.ts';

/** All that a conversation needs to know of its personality and its order, filled in for one call. */
export type ConversationSettings = {
  direction: Direction;
  instructions: string;
  /** Absent: the model finds the first words. */
  greeting: string | undefined;
  listensFirst: boolean;
  words: SpokenWords;
  vendors: VendorNames;
  maxDurationMs: number;
  silence: SilenceLimits;
  turn: TurnSettings;
};

/** @throws {OperatorError} where the prompt or the greeting cannot be filled in */
export function conversationSettings(
  personality: Personality,
  call: {
    direction: Direction;
    variables: Variables;
    /** Instead of the personality's prompt or after it, as the personality says; verbatim. */
    prompt?: string | undefined;
    /** Instead of the personality's greeting, verbatim. */
    greeting?: string | undefined;
    /** Instead of the personality's limit. */
    maxDurationMs?: number | undefined;
  },
): ConversationSettings {
  const { direction, variables } = call;
  const greeting = call.greeting ?? renderGreeting(personality, direction, variables);
  return filledInSettings(personality, {
    direction,
    instructions: renderInstructions(personality, direction, variables, call.prompt),
    greeting: greeting === '' ? undefined : greeting,
    maxDurationMs: call.maxDurationMs,
  });
}

/** The same, of texts that have been filled in. */
export function filledInSettings(
  personality: Personality,
  call: Pick<ConversationSettings, 'direction' | 'instructions' | 'greeting'> & {
    maxDurationMs: number | undefined;
  },
): ConversationSettings {
  const { limits, components } = personality;
  return {
    direction: call.direction,
    instructions: call.instructions,
    greeting: call.greeting,
    listensFirst: personality.listensFirst,
    words: spokenWords(personality.language),
    vendors: {
      stt: components.stt.provider,
      llm: components.llm.provider,
      tts: components.tts.provider,
    },
    maxDurationMs: call.maxDurationMs ?? limits.maxDurationMs,
    silence: {
      askAfterMs: limits.silenceReminderMs,
      hangUpAfterMs: limits.silenceMs - limits.silenceReminderMs,
    },
    turn: personality.turn,
  };
}
