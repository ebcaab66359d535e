import { z } from 'zod';
import { outboundCallBody } from '../../call/order.ts';
import { hangupParties, outcomes } from '../../call/outcome.ts';
import { OperatorError } from '../../platform/errors.ts';
import type { VendorFaults } from '../faults.ts';
import type { VendorPace } from '../pace.ts';
import { formatProblem, parseYamlFile, type YamlResult } from '../../platform/yaml-file.ts';

/** No wait in a conversation is longer than this. */
const LONGEST_MS = 300_000;

const ms = z.number().int().nonnegative().max(LONGEST_MS);
const flag = z.literal(true, 'is written only as true; leave it out otherwise');
const text = z.string().min(1).max(2000);
const e164 = z
  .string()
  .regex(/^\+\d{5,15}$/, 'must be E.164 in quotes, for example "+12025550123"');

const toolCall = z.union([
  z
    .string()
    .min(1)
    .transform((name) => ({ name, arguments: {} })),
  z.strictObject({
    name: z.string().min(1),
    arguments: z.record(z.string(), z.unknown()).default({}),
  }),
]);

const agentStep = z
  .strictObject({
    /** What must be heard, whole; also what the stand-in of the LLM is told to say. Absent: any line. */
    says: text.optional(),
    /** From the answer, or from the end of the caller's voice, to the first sound of the agent. */
    within_ms: ms.optional(),
    /** The same, for an answer to what the caller said. */
    replies_within_ms: ms.optional(),
    /** Tool that the stand-in of the LLM calls in this turn. */
    tool: toolCall.optional(),
    /** The agent's side ends the call after this. */
    hangs_up: flag.optional(),
    /** The next step of the caller breaks in on this. */
    interrupted: flag.optional(),
  })
  .refine((step) => step.within_ms === undefined || step.replies_within_ms === undefined, {
    message: 'within_ms and replies_within_ms are the same limit: keep one',
  });

/** Words stand at even places, pauses between them. */
function wordsFirst(part: string | number, index: number, all: readonly unknown[]): boolean {
  return (typeof part === 'string') === (index % 2 === 0) && all.length % 2 === 1;
}

const callerStep = z
  .strictObject({
    says: text.optional(),
    /** Speaks with pauses: words and ms of silence by turns. That the agent cuts in is counted, and no failure. */
    hesitates: z
      .array(z.union([text, ms]))
      .min(1)
      .max(20)
      .optional(),
    /** Voice of espeak-ng, for example en-us+f3. */
    voice: z.string().min(1).max(40).optional(),
    /** Pause before the step. */
    after_ms: ms.optional(),
    /** Breaks in so long after the agent began to speak; the agent must then fall silent. */
    interrupts: z.strictObject({ after_ms: ms, silence_within_ms: ms.optional() }).optional(),
    /** Says nothing for so long. */
    silence_ms: ms.optional(),
    presses: z
      .string()
      .regex(/^[0-9*#A-D]{1,32}$/, 'may hold 0-9, *, #, A-D; put it in quotes')
      .optional(),
    hangs_up: flag.optional(),
  })
  .refine(
    ({ says, hesitates, silence_ms, presses, hangs_up }) =>
      [says, hesitates, silence_ms, presses, hangs_up].filter((part) => part !== undefined)
        .length === 1,
    { message: 'needs exactly one of says, hesitates, silence_ms, presses, hangs_up' },
  )
  .refine(({ says, interrupts }) => says !== undefined || !interrupts, {
    message: 'interrupts goes with says',
  })
  .refine(
    ({ says, hesitates, voice }) => (says ?? hesitates) !== undefined || voice === undefined,
    {
      message: 'voice goes with says or hesitates',
    },
  )
  .refine(({ hesitates }) => hesitates?.every(wordsFirst) ?? true, {
    path: ['hesitates'],
    message: 'are words and pauses by turns, words first and last',
  });

const step = z
  .strictObject({ agent: agentStep.optional(), caller: callerStep.optional() })
  .refine(({ agent, caller }) => (agent === undefined) !== (caller === undefined), {
    message: 'a step is either agent or caller',
  });

const expectation = z.strictObject({
  /** Of the ledger. */
  outcome: z.enum(outcomes).optional(),
  /** Of the ledger: finished turns of both sides. */
  turns: z.number().int().nonnegative().optional(),
  hung_up_by: z.enum(hangupParties).optional(),
  /** Final SIP status of a call that was not answered. */
  sip_status: z.number().int().min(300).max(699).optional(),
  /** Distinct INVITEs (by Call-ID) that reached the simulated phone for this number. */
  invites: z.number().int().nonnegative().optional(),
  /** From the answer to the first sound of the agent at the caller's ear. */
  heard_first_word_within_ms: ms.optional(),
  /** From dialling to the answer; only of a call that somebody dials. */
  answered_within_ms: ms.optional(),
  /** Whether the call is answered at all; needed only where a dialled call must not be. */
  answered: z.boolean().optional(),
});

/** What the simulated phone does when the order's call reaches it. */
const callee = z
  .strictObject({
    answers_after_ms: ms.optional(),
    busy: flag.optional(),
    /** Refuses with this SIP status. */
    status: z.number().int().min(400).max(699).optional(),
    /** Rings and is never answered. */
    rings: flag.optional(),
    /** Does not react at all, like a trunk that is down. */
    silent: flag.optional(),
  })
  .refine((behaviour) => Object.keys(behaviour).length === 1, {
    message: 'needs exactly one of answers_after_ms, busy, status, rings, silent',
  });

/** As `faults.ts` knows them, in the spelling of the file. */
const vendorFault = z.strictObject({
  delay_ms: ms.optional(),
  status: z.number().int().min(400).max(599).optional(),
  silent: flag.optional(),
  hang: flag.optional(),
  drop: flag.optional(),
  times: z.number().int().min(1).optional(),
});

const callShape = {
  /** Somebody dials in. */
  call: z
    .strictObject({
      to: e164,
      from: e164.optional(),
      via: z.enum(['phone', 'loopback']).default('phone'),
    })
    .optional(),
  /** The api is asked for a call (body of POST /api/outbound-call); the simulated phone is the callee. */
  order: outboundCallBody.optional(),
  callee: callee.optional(),
  steps: z.array(step).max(200).default([]),
  expect: expectation.default({}),
};

const onePlan = (plan: { call?: unknown; order?: unknown; callee?: unknown }): boolean =>
  (plan.call === undefined) !== (plan.order === undefined) &&
  (plan.callee === undefined || plan.order !== undefined);
const ONE_PLAN = 'needs either call or order, and callee only with order';

/** What is ordered is answered by the callee, whose time is not the agents' to keep. */
const limitsOwnAnswer = (plan: { call?: unknown; expect: z.output<typeof expectation> }): boolean =>
  plan.expect.answered_within_ms === undefined ||
  (plan.call !== undefined && plan.expect.answered !== false);
const OWN_ANSWER = {
  path: ['expect', 'answered_within_ms'],
  message: 'goes with call, and not with answered: false',
};

/** A conversation as its author writes it: `docs/simulator.md` is the reference. */
const conversationSchema = z
  .strictObject({
    name: z.string().min(1).max(100).optional(),
    description: z.string().max(2000).optional(),
    /** Language of the caller's voice. */
    language: z.string().min(2).max(10).default('en'),
    call: callShape.call,
    order: callShape.order,
    callee: callShape.callee,
    steps: callShape.steps,
    expect: callShape.expect,
    /** The same call so many times at once. */
    parallel: z.number().int().min(1).max(16).default(1),
    /** Different calls at once, instead of one. */
    calls: z
      .array(
        z
          .strictObject(callShape)
          .refine(onePlan, { message: ONE_PLAN })
          .refine(limitsOwnAnswer, OWN_ANSWER),
      )
      .min(1)
      .max(16)
      .optional(),
    /** Faults of the stand-ins while the conversation runs; they meet every call of the simulator. */
    faults: z
      .strictObject({
        stt: vendorFault.optional(),
        llm: vendorFault.optional(),
        tts: vendorFault.optional(),
      })
      .optional(),
    /** How fast the stand-ins are while the conversation runs, for every call of the simulator. */
    vendors: z
      .strictObject({
        /** From the caller's last sound at the ears to its transcript; absent: when the ears are sure. */
        transcript_after_ms: ms.min(100).optional(),
        /** The model's first words; the usual is 50. */
        first_token_ms: ms.optional(),
        /** Each three words of the model; the usual is 30. */
        next_words_ms: ms.optional(),
      })
      .optional(),
    /** Cuts a direction of the caller's line off, to prove that the conversation then fails. */
    mute: z.enum(['send', 'receive']).optional(),
  })
  .refine((plan) => (plan.calls ? !plan.call && !plan.order : onePlan(plan)), {
    message: `${ONE_PLAN}; or calls, a list of such`,
  })
  .refine(limitsOwnAnswer, OWN_ANSWER);

export type Conversation = z.output<typeof conversationSchema>;
export type AgentStep = z.output<typeof agentStep>;
export type CallerStep = z.output<typeof callerStep>;
export type Step = z.output<typeof step>;

export type CalleeBehaviour = z.output<typeof callee>;

/** One call of a conversation. */
export type CallPlan = Pick<Conversation, 'call' | 'order' | 'callee' | 'steps' | 'expect'> & {
  /** Tells the calls of one conversation apart in its report. */
  label: string;
};

/** Parses a conversation from YAML; every problem comes with line and column. */
export function parseConversation(source: string, file: string): YamlResult<Conversation> {
  return parseYamlFile(source, file, conversationSchema);
}

/** @throws {OperatorError} naming every problem of the file. */
export function requireConversation(source: string, file: string): Conversation {
  const parsed = parseConversation(source, file);
  if (parsed.ok) return parsed.value;
  throw new OperatorError(parsed.problems.map(formatProblem).join('\n'), {
    remedy: 'docs/simulator.md describes what a conversation may hold.',
  });
}

/** The calls that a conversation consists of, all at once. */
export function callsOf(conversation: Conversation): CallPlan[] {
  const { call, order, callee, steps, expect, parallel, calls } = conversation;
  const plans =
    calls ?? Array.from({ length: parallel }, () => ({ call, order, callee, steps, expect }));
  return plans.map((plan, index) => ({
    ...plan,
    label: plans.length > 1 ? `call ${index + 1}` : 'call',
  })) as CallPlan[];
}

/** The faults of a conversation as the stand-ins take them. */
export function vendorFaultsOf(faults: NonNullable<Conversation['faults']>): VendorFaults {
  return Object.fromEntries(
    Object.entries(faults).map(([vendor, { delay_ms, ...others }]) => [
      vendor,
      { ...others, ...(delay_ms === undefined ? {} : { delayMs: delay_ms }) },
    ]),
  );
}

/** The pace that a conversation asks of the stand-ins. */
export function vendorPaceOf(vendors: NonNullable<Conversation['vendors']>): VendorPace {
  const { transcript_after_ms, first_token_ms, next_words_ms } = vendors;
  return {
    transcriptMs: transcript_after_ms,
    firstTokenMs: first_token_ms,
    nextWordsMs: next_words_ms,
  };
}

/** All that a caller's step says, where it says something. */
export function wordsOfStep({ says, hesitates }: CallerStep): string | undefined {
  return says ?? hesitates?.filter((part) => typeof part === 'string').join(' ');
}
