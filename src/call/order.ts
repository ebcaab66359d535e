import { z } from 'zod';

const DEFAULT_PRIORITY = 5;

/** What a caller of the API may ask of an outbound call; also the body of `POST /api/outbound-call`. */
export const outboundCallBody = z.strictObject({
  to_number: z.string().describe('number to call, E.164, for example +12025550123'),
  caller_name: z
    .string()
    .max(200)
    .optional()
    .describe('who is calling, for the prompt and the display'),
  llm_prompt: z
    .string()
    .max(32_000)
    .optional()
    .describe("replaces the personality's prompt, or is added to it, as the personality says"),
  greeting: z.string().max(2000).optional().describe("replaces the personality's greeting"),
  personality: z.string().max(100).optional().describe('who calls; absent: DEFAULT_PERSONALITY'),
  variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  trunk: z
    .string()
    .max(100)
    .optional()
    .describe('trunk to dial over; absent: the first that permits the number'),
  from_number: z.string().optional().describe('caller id, one of the numbers of the trunk'),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('kept with the call, for the integrator'),
  schedule_at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('not before this time, ISO 8601'),
  priority: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe('1 is the most urgent, 10 the least; absent: 5'),
  max_duration: z
    .int()
    .min(10)
    .max(14_400)
    .optional()
    .describe("seconds; replaces the personality's limit"),
  callback_url: z
    .string()
    .max(2000)
    .regex(/^https?:\/\/[^\s/?#@\\]+([/?#]\S*)?$/i, {
      error: 'must be an http or https URL without a user and password',
      abort: true,
    })
    .refine((url) => URL.canParse(url), 'is not a URL')
    .optional()
    .describe('is told when the call has ended'),
});

export type OutboundCallBody = z.infer<typeof outboundCallBody>;

/** An accepted order: the data of the queue's job, whose id is the call's id. */
export const callOrderSchema = z.object({
  callId: z.templateLiteral(['call_', z.string()]),
  publicId: z.string(),
  workspace: z.string(),
  to: z.string(),
  personality: z.string(),
  callerName: z.string().optional(),
  prompt: z.string().optional(),
  greeting: z.string().optional(),
  variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  trunk: z.string().optional(),
  from: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()),
  /** Milliseconds since the epoch. */
  acceptedAt: z.number(),
  notBefore: z.number().optional(),
  /** Absent in orders of before there were priorities: the default. */
  priority: z.number().optional(),
  /** Instead of the personality's limit, in ms. */
  maxDurationMs: z.number().optional(),
});

export type CallOrder = z.infer<typeof callOrderSchema>;

/** How urgent an order is, from 1 to 10. */
export function priorityOf(order: Pick<CallOrder, 'priority'>): number {
  return order.priority ?? DEFAULT_PRIORITY;
}

/** The BullMQ queue of outbound calls. */
export const OUTBOUND_QUEUE = 'outbound-calls';
