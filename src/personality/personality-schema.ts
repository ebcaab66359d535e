import { z } from 'zod';
import { closestName } from '../platform/closest-name.ts';
import { duration } from './duration.ts';
import {
  llmOptions,
  sttOptions,
  ttsOptions,
  vadOptions,
  type VendorOptions,
} from './providers/component-options.ts';
import { checkTemplate } from './template.ts';

/** What a personality's file is checked against beyond its own shape. */
export type SchemaContext = {
  /** Keys of prompts.yaml, with whether the prompt could be read. Undefined where prompts.yaml could not. */
  prompts: ReadonlyMap<string, boolean> | undefined;
  missingVariables: (options: VendorOptions) => string[];
};

/** Checks nothing but the shape: what editors are told. */
const SHAPE_ONLY: SchemaContext = { prompts: undefined, missingVariables: () => [] };

/** Schema of `agents/*.yaml`. Every check stands at its own value, so that all problems are found at once. */
export function personalitySchema(context: SchemaContext = SHAPE_ONLY) {
  const credentials = (options: VendorOptions, issues: z.core.$RefinementCtx) => {
    const missing = context.missingVariables(options);
    if (missing.length === 0) return;
    const message = `needs ${missing.join(' and ')}, set neither in the environment nor in .env`;
    issues.addIssue({ code: 'custom', path: ['provider'], message });
  };
  const promptKey = z
    .string()
    .superRefine((key, issues) => checkPromptKey(key, context.prompts, issues));

  return z.strictObject({
    $schema: z.string().optional(),
    name: z.string().min(1).max(100).describe('what people call it'),
    language: z
      .string()
      .regex(
        /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?$/,
        'must be a language such as de-DE',
      )
      .optional()
      .describe('BCP 47; absent: that of the STT or TTS, else en-US'),
    timezone: z
      .string()
      .refine(isTimezone, 'must be a time zone such as Europe/Berlin')
      .optional()
      .describe("zone of today and now in prompts; absent: the machine's"),
    components: z
      .strictObject({
        stt: sttOptions.superRefine(credentials).describe('ears: speech to text'),
        llm: llmOptions.superRefine(credentials).describe('brain: the language model'),
        tts: ttsOptions.superRefine(credentials).describe('voice: text to speech'),
        vad: vadOptions.prefault({ provider: 'silero' }).describe('tells speech from silence'),
      })
      .describe('who hears, thinks and speaks'),
    prompts: z
      .strictObject({
        inbound: promptKey.prefault('default_inbound'),
        outbound: promptKey.prefault('default_outbound'),
        llm_prompt: z
          .enum(['replace', 'append'])
          .default('replace')
          .describe("what an order's llm_prompt does to the prompt"),
      })
      .prefault({})
      .describe('keys of prompts.yaml, and what an order may do to them'),
    greeting: z
      .union([
        liquidText,
        z.strictObject({ inbound: liquidText.optional(), outbound: liquidText.optional() }),
      ])
      .optional()
      .describe(
        'the first words (Liquid), for both directions or each; absent: the model finds them',
      ),
    listens_first: z.boolean().default(false).describe('wait for their first words, then greet'),
    recording: z
      .boolean()
      .default(false)
      .describe('record calls; the law may demand that all parties agree before'),
    limits: z
      .strictObject({
        max_duration: duration('10s', '4h').prefault('15m').describe('the call ends after this'),
        silence_reminder: duration('3s', '10m')
          .prefault('12s')
          .describe('without a word so long, the agent asks whether somebody is there'),
        silence: duration('5s', '30m')
          .prefault('40s')
          .describe('without a word so long, the call ends'),
      })
      .refine((limits) => limits.silence_reminder < limits.silence, {
        path: ['silence'],
        message: 'must be longer than silence_reminder (12s where not given)',
      })
      .prefault({}),
    turn: z
      .strictObject({
        detection: z
          .enum(['words', 'vad', 'stt'])
          .default('words')
          .describe('what ends a turn: silence and the words before it, silence alone, or the STT'),
        min_delay: duration('0ms', '5s')
          .optional()
          .describe('silence before an answer, after a finished sentence; absent: 150ms, or 250ms'),
        open_delay: duration('0ms', '15s')
          .prefault('600ms')
          .describe('… where the words tell neither an end nor that more comes (words only)'),
        max_delay: duration('0ms', '15s')
          .prefault('1500ms')
          .describe('… where more must come (words only)'),
        interruptions: z.boolean().default(true).describe('whether the agent can be broken off'),
        interruption_min_duration: duration('50ms', '5s')
          .prefault('80ms')
          .describe('speech after which the agent pauses; it goes on where no words follow'),
        interruption_min_words: z.number().int().min(0).max(10).default(0),
        preemptive_generation: z
          .boolean()
          .default(true)
          .describe('begin to think before it is sure that they have finished'),
        preemptive_tts: z.boolean().default(true).describe('and to speak'),
      })
      .refine((turn) => (turn.min_delay ?? 0) <= turn.max_delay, {
        path: ['min_delay'],
        message: 'must not be longer than max_delay (1500ms where not given)',
      })
      .prefault({}),
  });
}

export type PersonalityFile = z.output<ReturnType<typeof personalitySchema>>;

const liquidText = z
  .string()
  .min(1)
  .max(1000)
  .superRefine((text, issues) => {
    for (const { line, column, message } of checkTemplate(text).problems) {
      issues.addIssue({ code: 'custom', message: `${message} (${line}:${column} of the text)` });
    }
  });

function checkPromptKey(
  key: string,
  prompts: SchemaContext['prompts'],
  issues: z.core.$RefinementCtx,
): void {
  const readable = prompts?.get(key);
  if (!prompts || readable === true) return;
  const near = closestName(key, prompts.keys());
  const hint =
    near === undefined ? `there are ${[...prompts.keys()].join(', ')}` : `did you mean ${near}?`;
  const message =
    readable === false
      ? 'this prompt has problems of its own'
      : `is not a prompt of prompts.yaml; ${hint}`;
  issues.addIssue({ code: 'custom', message });
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
