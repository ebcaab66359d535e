import { z } from 'zod';
import type { OutboundCallBody } from '../../call/order.ts';
import { asError, OperatorError } from '../../platform/errors.ts';
import { maskNumbers } from '../../platform/mask.ts';
import { pause } from './waiting.ts';

const REQUEST_MS = 10_000;
const POLL_MS = 150;

const count = z.union([z.number(), z.array(z.unknown()).transform((list) => list.length)]);

/** What the simulator reads of a call in the ledger. */
const ledgerCall = z
  .object({
    id: z.string(),
    status: z.string(),
    direction: z.string(),
    outcome: z.string().nullable(),
    hung_up_by: z.string().nullable(),
    sip_status: z.number().nullable(),
    reason: z.string().nullable(),
    turns: count,
  })
  .transform(({ outcome, hung_up_by, sip_status, reason, ...call }) => ({
    ...call,
    outcome: outcome ?? undefined,
    hungUpBy: hung_up_by ?? undefined,
    sipStatus: sip_status ?? undefined,
    reason: reason ?? '',
  }));

export type LedgerCall = z.output<typeof ledgerCall>;

const moment = z.iso
  .datetime()
  .transform((text) => Date.parse(text))
  .optional();

const turnList = z.object({
  turns: z.array(
    z
      .object({
        role: z.enum(['caller', 'agent']),
        latency: z.object({ decided_at: moment, spoke_at: moment, silent_at: moment }).nullable(),
      })
      .transform(({ role, latency }) => ({
        role,
        decidedAt: latency?.decided_at,
        spokeAt: latency?.spoke_at,
        silentAt: latency?.silent_at,
      })),
  ),
});

/** A turn by the worker's clock: ms since the epoch, where it was measured. */
export type LedgerTurn = z.output<typeof turnList>['turns'][number];

const callList = z.object({ calls: z.array(ledgerCall) });

/** The api as an integrator uses it, to ask for calls and to see what became of them. */
export class LedgerClient {
  readonly #url: string;
  readonly #apiKey: string;

  constructor(api: { url: string; apiKey: string }) {
    this.#url = api.url;
    this.#apiKey = api.apiKey;
  }

  /**
   * Asks for a call; resolves with its opaque id. (The public one in the body is the same for two orders of
   * one number in one second.)
   *
   * @throws {OperatorError} when the api refuses, with what it says.
   */
  async order(body: OutboundCallBody, signal: AbortSignal): Promise<string> {
    const answer = await this.#request('POST', '/api/outbound-call', signal, body);
    const id = answer?.headers.get('x-call-id');
    if (!id) throw new Error('the api did not name the call in X-Call-Id');
    return id;
  }

  /** The call of an id, undefined where the ledger does not know it yet. */
  async call(id: string, signal: AbortSignal): Promise<LedgerCall | undefined> {
    const answer = await this.#request('GET', `/api/calls/${encodeURIComponent(id)}`, signal);
    return answer === undefined ? undefined : ledgerCall.parse(answer.content);
  }

  /** When things happened in a call, turn by turn. */
  async turns(id: string, signal: AbortSignal): Promise<LedgerTurn[]> {
    const answer = await this.#request('GET', `/api/calls/${encodeURIComponent(id)}`, signal);
    return answer === undefined ? [] : turnList.parse(answer.content).turns;
  }

  /** Calls, the newest first; of one SIP Call-ID where it is given. */
  async calls(sipCallId: string | undefined, signal: AbortSignal): Promise<LedgerCall[]> {
    const query = new URLSearchParams(
      sipCallId === undefined ? { limit: '20' } : { sip_call_id: sipCallId },
    );
    const answer = await this.#request('GET', `/api/calls?${query.toString()}`, signal);
    return answer === undefined ? [] : callList.parse(answer.content).calls;
  }

  /** Asks again and again until a call that fits has ended. */
  async ended(
    look: (signal: AbortSignal) => Promise<LedgerCall | undefined>,
    signal: AbortSignal,
  ): Promise<LedgerCall> {
    for (;;) {
      const call = await look(signal);
      if (call?.status === 'ended') return call;
      await pause(POLL_MS, signal);
    }
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<{ content: unknown; headers: Headers } | undefined> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, this.#url), {
        method,
        headers: {
          'x-api-key': this.#apiKey,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        signal: limit,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (thrown) {
      signal.throwIfAborted();
      throw new OperatorError('The api does not answer.', {
        remedy: 'Check that it runs, and that API_INTERNAL_URL is its address.',
        cause: asError(thrown),
      });
    }
    if (response.status === 404) return undefined;
    if (!response.ok) {
      throw new OperatorError(
        `The api refused: ${response.status} ${maskNumbers(text.slice(0, 500))}`,
      );
    }
    return { content: JSON.parse(text), headers: response.headers };
  }
}
