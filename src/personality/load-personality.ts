import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { parseYamlFile, type FileProblem, type YamlResult } from '../platform/yaml-file.ts';
import { closestName } from '../platform/closest-name.ts';
import { callVariableNames } from './call-variables.ts';
import { directions, type Direction, type Personality, type Prompt } from './personality.ts';
import { personalitySchema, type PersonalityFile } from './personality-schema.ts';
import {
  hasVendors,
  missingVariables,
  type Credentials,
  type VendorOptions,
} from './providers/component-options.ts';
import type { SttOptions } from './providers/component-options.ts';
import { checkTemplate } from './template.ts';

/** What personalities are made of besides their own file. */
export type Surroundings = {
  prompts: ReadonlyMap<string, Prompt | undefined> | undefined;
  credentials: Credentials;
};

export type LoadedPersonality =
  | { ok: true; personality: Personality; fellBack: boolean }
  | { ok: false; problems: FileProblem[] };

/**
 * Checks the text of a personality's file and puts its prompts with it. With no vendor's key in the whole
 * configuration, one that needs a vendor falls back to the simulator.
 */
export function loadPersonality(
  key: string,
  source: string,
  file: string,
  { prompts, credentials }: Surroundings,
): LoadedPersonality {
  const keyless = !hasVendors(credentials);
  const missing = (options: VendorOptions) => missingVariables(options, credentials);
  const schema = personalitySchema({
    prompts: prompts && new Map([...prompts].map(([name, prompt]) => [name, prompt !== undefined])),
    missingVariables: keyless ? () => [] : missing,
  });
  const parsed: YamlResult<PersonalityFile> = parseYamlFile(
    source,
    file,
    schema.superRefine((content, issues) => checkGreeting(content, prompts, issues)),
  );
  if (!parsed.ok) return parsed;
  const inbound = prompts?.get(parsed.value.prompts.inbound);
  const outbound = prompts?.get(parsed.value.prompts.outbound);
  // Only where prompts.yaml itself is broken, which is reported there.
  if (!inbound || !outbound) return { ok: false, problems: [] };
  const { stt, llm, tts } = parsed.value.components;
  const fellBack = keyless && [stt, llm, tts].some((options) => missing(options).length > 0);
  const personality = assemble(key, parsed.value, { inbound, outbound }, fellBack);
  return { ok: true, personality, fellBack };
}

function assemble(
  key: string,
  content: PersonalityFile,
  prompts: Record<Direction, Prompt>,
  fellBack: boolean,
): Personality {
  const { name, greeting, limits, turn } = content;
  const { vad, ...vendors } = content.components;
  const { stt, llm, tts } = fellBack ? simulated() : vendors;
  const words = turn.detection === 'words';
  const body: Omit<Personality, 'hash'> = {
    key,
    name,
    simulated: [stt, llm, tts].some(({ provider }) => provider === 'simulator'),
    language: content.language ?? languageOf(vendors.stt) ?? languageOf(vendors.tts) ?? 'en-US',
    timezone: content.timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    components: {
      stt,
      llm,
      tts,
      vad: { ...vad, min_silence_duration: vad.min_silence_duration ?? silenceMs(stt, words) },
    },
    prompts,
    llmPrompt: content.prompts.llm_prompt,
    greeting:
      typeof greeting === 'string' ? { inbound: greeting, outbound: greeting } : (greeting ?? {}),
    listensFirst: content.listens_first,
    recording: content.recording,
    limits: {
      maxDurationMs: limits.max_duration,
      silenceReminderMs: limits.silence_reminder,
      silenceMs: limits.silence,
    },
    turn: {
      detection: turn.detection,
      minDelayMs: turn.min_delay ?? (words ? 150 : 250),
      openDelayMs: turn.open_delay,
      maxDelayMs: turn.max_delay,
      interruptions: turn.interruptions,
      interruptionMinDurationMs: turn.interruption_min_duration,
      interruptionMinWords: turn.interruption_min_words,
      preemptiveGeneration: turn.preemptive_generation,
      preemptiveTts: turn.preemptive_tts,
    },
  };
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
  return deepFreeze({ ...body, hash });
}

/** The simulator in every place. */
/**
 * Silence that ends speech. Short, it lets the words decide; but a recogniser that hears whole files is given one for
 * each stretch of speech, and needs stretches of some length.
 */
function silenceMs(stt: SttOptions, words: boolean): number {
  const hearsFiles = stt.provider === 'openai' && stt.base_url !== undefined;
  return words && !hearsFiles ? 100 : 250;
}

function simulated(): Pick<Personality['components'], 'stt' | 'llm' | 'tts'> {
  const provider = 'simulator';
  return { stt: { provider }, llm: { provider, model: provider }, tts: { provider } };
}

/** A language that a component names; `multi` and its like are none. */
function languageOf(options: VendorOptions): string | undefined {
  const language = 'language' in options ? options.language : undefined;
  return language !== undefined && /^[a-z]{2,3}(-|$)/.test(language) ? language : undefined;
}

/** A greeting knows what the prompt of its direction knows. */
function checkGreeting(
  { greeting, prompts: keys }: PersonalityFile,
  prompts: Surroundings['prompts'],
  issues: z.core.$RefinementCtx,
): void {
  if (greeting === undefined || !prompts) return;
  const found = new Map<string, { path: string[]; message: string }>();
  for (const direction of directions) {
    const text = typeof greeting === 'string' ? greeting : greeting[direction];
    const prompt = prompts.get(keys[direction]);
    if (text === undefined || !prompt) continue;
    const known: string[] = [...Object.keys(prompt.parameters), ...callVariableNames];
    const path = typeof greeting === 'string' ? ['greeting'] : ['greeting', direction];
    for (const { name } of checkTemplate(text).variables) {
      if (known.includes(name)) continue;
      const near = closestName(name, known);
      const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
      const message = `${name} is no parameter of the prompt ${prompt.key}; ${hint}`;
      found.set(`${path.join('.')} ${name}`, { path, message });
    }
  }
  for (const { path, message } of found.values())
    issues.addIssue({ code: 'custom', path, message });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
