import { z } from 'zod';
import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import { outcomes } from '../../call/outcome.ts';

const callSchema = z.object({
  trunk: z.string().nullable(),
  outcome: z.enum(outcomes).nullable(),
  sip_status: z.number().int().nullable(),
  reason: z.string().nullable(),
  to: z.string().nullish(),
  started_at: z.string(),
});

/** An outbound call of the ledger, as far as it tells something of its trunk. */
export type RecentCall = z.output<typeof callSchema>;

export type RecentCalls = { ok: true; calls: RecentCall[] } | { ok: false; reason: string };

const TIMEOUT_MS = 3000;

/** The last 50 outbound calls, from the api. Never rejects: without the api the rest is still worth telling. */
export async function recentCalls(config: Config): Promise<RecentCalls> {
  try {
    const url = new URL('/api/calls?direction=outbound&limit=50', config.API_INTERNAL_URL);
    const response = await fetch(url, {
      headers: { 'X-API-Key': config.API_KEY },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return { ok: false, reason: `the api answered HTTP ${response.status}` };
    const { calls } = z.object({ calls: z.array(callSchema) }).parse(await response.json());
    return { ok: true, calls };
  } catch (thrown) {
    const error = asError(thrown);
    const why =
      error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS} ms` : 'it cannot be reached';
    return { ok: false, reason: `the api does not tell its calls: ${why}` };
  }
}
