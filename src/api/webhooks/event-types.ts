import { z } from 'zod';
import { takeOverCauses } from '../../call/attendance.ts';
import { callSchema } from '../call-view.ts';
import { latencySchema } from '../latency-summary.ts';

/** Changes only where a receiver would have to change: new fields and types may come at any time. */
export const EVENT_VERSION = 1;

const envelope = {
  event_id: z.string().describe('stable: the same when the event is sent again'),
  version: z.literal(EVENT_VERSION),
  timestamp: z.iso.datetime().describe('when it happened, UTC'),
};

const ms = z.number().nullable();

/** The call as of the event: the fields of `GET /api/calls`, and what was ordered with it. */
const callFields = {
  ...callSchema.shape,
  ring_ms: ms.describe('from the first ringing to the answer, or the end'),
  talk_ms: ms.describe('from the answer to the end'),
  variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  metadata: z.record(z.string(), z.unknown()),
};

const spoken = {
  role: z.enum(['caller', 'agent']).describe('`caller` is the person, on either side'),
  text: z.string(),
  interrupted: z.boolean().describe('the agent was broken off here'),
};

function ofCall<T extends string, S extends z.ZodRawShape>(type: T, description: string, more: S) {
  const schema = z.object({ ...envelope, type: z.literal(type), ...callFields, ...more });
  return { description, schema };
}

function ofTrunk<T extends string>(type: T, description: string) {
  const state = z.enum(['up', 'degraded', 'down', 'unknown']);
  const schema = z.object({
    ...envelope,
    type: z.literal(type),
    trunk: z.string(),
    state,
    previous_state: state.nullable().describe('null where nothing was known before'),
    reason: z.string().describe('for people'),
  });
  return { description, schema };
}

/** Every type of event that receivers are told of: the one list that the API, its description and the docs use. */
export const webhookEvents = {
  'call.queued': ofCall('call.queued', 'an outbound call was accepted', {}),
  'call.received': ofCall('call.received', 'an inbound call arrived', {}),
  'call.dialing': ofCall('call.dialing', 'an outbound call is being dialled', {}),
  'call.ringing': ofCall('call.ringing', 'the phone rings', {}),
  'call.answered': ofCall('call.answered', 'the call was answered', {}),
  'call.taken_over': ofCall('call.taken_over', 'the agent was lost, and another goes on', {
    take_over_cause: z.enum(takeOverCauses),
    take_over_silent_ms: z
      .number()
      .describe('from when the loss was noticed to when the agent was heard again'),
  }),
  'call.transfer': ofCall('call.transfer', 'the call is handed to another number', {
    transfer_state: z.enum(['started', 'completed', 'failed']),
    transfer_by: z.enum(['agent', 'operator']),
    transfer_reason: z.string().nullable(),
    transfer_sip_status: z.number().int().nullable(),
  }),
  'call.dtmf': ofCall('call.dtmf', 'keys were pressed, or sent; the digits stand nowhere', {
    dtmf_direction: z.enum(['sent', 'received']),
    dtmf_count: z.number().int(),
  }),
  turn: ofCall('turn', 'one side has said something', {
    ...spoken,
    latency: latencySchema.nullable(),
  }),
  'call.ended': ofCall(
    'call.ended',
    'the call is over; `outcome` and `reason` say how it went',
    {},
  ),
  'transcript.ready': ofCall(
    'transcript.ready',
    'after call.ended, where something was said: all of it; again where more of it came late',
    {
      transcript: z.string().describe('as text, a line a turn'),
      transcript_turns: z.array(z.object({ ...spoken, at: z.iso.datetime() })),
    },
  ),
  'call.recorded': ofCall('call.recorded', 'the recording of the call can be fetched', {
    recording_url: z.string().describe('below the address of this api; wants a key'),
    recording_duration_ms: z.number(),
    recording_bytes: z.number().int(),
  }),
  'trunk.up': ofTrunk('trunk.up', 'a trunk works again'),
  'trunk.degraded': ofTrunk('trunk.degraded', 'a trunk answers, but calls over it fail'),
  'trunk.down': ofTrunk('trunk.down', 'a trunk does not answer'),
  'webhook.test': {
    description: 'somebody tries whether the endpoint works; goes to it whatever it asked for',
    schema: z.object({
      ...envelope,
      type: z.literal('webhook.test'),
      endpoint: z.string().describe('its id'),
      message: z.string(),
    }),
  },
} as const;

export type WebhookEventType = keyof typeof webhookEvents;
export type WebhookEventOf<T extends WebhookEventType> = z.infer<
  (typeof webhookEvents)[T]['schema']
>;

export const webhookEventTypes = Object.keys(webhookEvents) as WebhookEventType[];

/** The section `webhooks` of the OpenAPI document (OpenAPI 3.1, "OpenAPI Object"). */
export function describeWebhooks(): Record<string, unknown> {
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    required: true,
    description,
    schema: { type: 'string' },
  });
  return Object.fromEntries(
    webhookEventTypes.map((type) => {
      const { description, schema } = webhookEvents[type];
      const post = {
        tags: ['webhooks'],
        summary: `${type}: ${description}`,
        parameters: [
          header('webhook-id', 'the same as `event_id`'),
          header('webhook-timestamp', 'seconds since the epoch'),
          header('webhook-signature', 'Standard Webhooks: `v1,` and base64; several with blanks'),
        ],
        requestBody: {
          content: { 'application/json': { schema: z.toJSONSchema(schema, { io: 'output' }) } },
        },
        responses: {
          '2XX': { description: 'delivered' },
          410: { description: 'send no more: the endpoint is disabled' },
          default: { description: 'sent again later' },
        },
      };
      return [type, { post }];
    }),
  );
}
