import type {
  LlmOptions,
  SttOptions,
  TtsOptions,
  VadOptions,
} from './providers/component-options.ts';
import type { PromptParameters } from './prompt-index.ts';

export const directions = ['inbound', 'outbound'] as const;

/** Who called whom: `inbound` calls reach us, `outbound` calls leave us. */
export type Direction = (typeof directions)[number];

/** The text that tells the model what to do, with the parameters that its prompts.yaml entry declares. */
export type Prompt = {
  readonly key: string;
  /** Markdown with Liquid, as it stands in the file. */
  readonly text: string;
  readonly parameters: PromptParameters;
};

/** Ears, brain, voice and instructions of an agent, as its files say. Immutable: a change makes a new one. */
export type Personality = {
  /** The name of its file, without the ending: what orders and trunks refer to. */
  readonly key: string;
  readonly name: string;
  /** Changes when anything does that the personality is made of, its prompts included. */
  readonly hash: string;
  /** Some part of it is the simulator's: it may use no carrier's trunk. */
  readonly simulated: boolean;
  /** BCP 47, for example `de-DE`. */
  readonly language: string;
  /** IANA name; `today` and `now` in prompts are in it. */
  readonly timezone: string;
  readonly components: {
    readonly stt: SttOptions;
    readonly llm: LlmOptions;
    readonly tts: TtsOptions;
    readonly vad: VadOptions;
  };
  readonly prompts: Readonly<Record<Direction, Prompt>>;
  /** What a call's own prompt (`llm_prompt` of its order) does to the personality's. */
  readonly llmPrompt: 'replace' | 'append';
  /** Liquid; where there is none the agent says of itself how it begins. */
  readonly greeting: { readonly [D in Direction]?: string | undefined };
  /** The agent waits for the other's first words before it greets. */
  readonly listensFirst: boolean;
  /** What both sides say is recorded, from the answer on. */
  readonly recording: boolean;
  readonly limits: {
    /** The call ends after this time. */
    readonly maxDurationMs: number;
    /** The agent asks whether somebody is there after this time without a word. */
    readonly silenceReminderMs: number;
    /** The call ends after this time without a word. */
    readonly silenceMs: number;
  };
  readonly turn: TurnSettings;
};

/** When the other has finished, and when the agent lets itself be broken off. Times in ms. */
export type TurnSettings = {
  /** By silence and the words before it, by silence alone, or by what the STT says. */
  readonly detection: 'words' | 'vad' | 'stt';
  readonly minDelayMs: number;
  /** Where the words tell neither an end nor that more comes. */
  readonly openDelayMs: number;
  readonly maxDelayMs: number;
  readonly interruptions: boolean;
  readonly interruptionMinDurationMs: number;
  readonly interruptionMinWords: number;
  readonly preemptiveGeneration: boolean;
  readonly preemptiveTts: boolean;
};
