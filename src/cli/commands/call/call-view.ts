import { z } from 'zod';
import { maskNumber } from '../../../platform/mask.ts';

/** What the commands show of a call; the api answers more. */
export const callView = z.looseObject({
  id: z.string(),
  direction: z.string(),
  status: z.string(),
  outcome: z.string().nullable(),
  reason: z.string().nullable(),
  hung_up_by: z.string().nullable(),
  trunk: z.string().nullable(),
  personality: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  started_at: z.string(),
});
export type CallView = z.infer<typeof callView>;

/** Longer than the api takes over any of it. */
export const CONTROL_TIMEOUT_MS = 30_000;

export const idArgument = {
  type: 'positional',
  required: true,
  description: "the call's id, call_…, or its call_id",
} as const;

export const jsonFlag = { type: 'boolean', description: "the api's answer, as JSON" } as const;

/** Below the address of the api. */
export function pathOf(id: string, what?: string): string {
  return `/api/calls/${encodeURIComponent(id)}${what === undefined ? '' : `/${what}`}`;
}

/** How a call stands, in a line. */
export function describeCall(call: CallView): string {
  if (call.status !== 'ended') return `${call.id} is ${call.status}.\n`;
  const by = call.hung_up_by === null ? '' : `, by ${call.hung_up_by}`;
  return `${call.id} has ended: ${call.outcome ?? 'erased'}${by}. ${call.reason ?? ''}\n`;
}

/** The person's number, masked: terminals are scrolled back and copied. */
export function numberOf({ direction, from, to }: CallView): string {
  const number = direction === 'inbound' ? from : to;
  return number === null ? '-' : maskNumber(number);
}
