import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import type { AddressPolicy, AddressRefused } from './address-policy.ts';

/** How a name is resolved, as `dns.lookup` does with `all`. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export type GuardedAnswer = {
  status: number;
  /** `Retry-After`, in ms; undefined where there is none that can be read. */
  retryAfterMs: number | undefined;
};

const CONNECT_MS = 10_000;
/** Enough for a connection to be used again after an answer of ordinary length. */
const BODY_LIMIT = 16 * 1024;
const BODY_MS = 1000;

/**
 * HTTP to addresses that others have given us. What is connected to is checked, not what the URL says: a name
 * that resolves to another address a moment later gains nothing. Redirects are not followed, proxies of the
 * environment not used, and what the other side answers is not read beyond 16 KiB.
 */
export class GuardedHttp {
  readonly #policy: AddressPolicy;
  readonly #agent: Agent;

  /** @param options.resolve how names are resolved, for tests */
  constructor(policy: AddressPolicy, options: { resolve?: Resolve } = {}) {
    this.#policy = policy;
    const connect = buildConnector({
      timeout: CONNECT_MS,
      allowH2: false,
      lookup: guardedLookup(policy, options.resolve ?? systemResolve),
    });
    this.#agent = new Agent({
      allowH2: false,
      connect: (target, callback) => {
        // Node asks no lookup where the host is an address already.
        const refusal = this.refusalOfHost(target.hostname);
        if (refusal) callback(refusal, null);
        else connect(target, callback);
      },
    });
  }

  /** Why a host of a URL must not be connected to; undefined: it may, or it is a name. */
  refusalOfHost(host: string): AddressRefused | undefined {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    return isIP(bare) === 0 ? undefined : this.#policy.refusalOf(bare);
  }

  /**
   * Posts a body and tells how it was answered.
   *
   * @throws AddressRefused, or whatever kept the answer from coming; the URL stands in none of it.
   */
  async post(
    url: string,
    options: {
      headers: Record<string, string>;
      body: string;
      limitMs: number;
      signal: AbortSignal;
    },
  ): Promise<GuardedAnswer> {
    const { headers, body, limitMs, signal } = options;
    const answer = await request(url, {
      method: 'POST',
      headers,
      body,
      dispatcher: this.#agent,
      headersTimeout: limitMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    });
    // The status says it all; a body that never ends changes nothing about it.
    await answer.body
      .dump({ limit: BODY_LIMIT, signal: AbortSignal.timeout(BODY_MS) })
      .catch(() => undefined);
    return {
      status: answer.statusCode,
      retryAfterMs: retryAfterOf(answer.headers['retry-after']),
    };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

const systemResolve: Resolve = (hostname, callback) =>
  systemLookup(hostname, { all: true, verbatim: true }, callback);

/** Hands on only those addresses of a name that may be connected to. */
function guardedLookup(policy: AddressPolicy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      if (error) return callback(error, []);
      const refusals = found.map(({ address }) => policy.refusalOf(address));
      const permitted = found.filter((_, index) => refusals[index] === undefined);
      const [first] = permitted;
      if (!first) {
        const refused = refusals.find((refusal) => refusal !== undefined);
        return callback(refused ?? new Error('the name has no address'), []);
      }
      return options.all ? callback(null, permitted) : callback(null, first.address, first.family);
    });
  };
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
