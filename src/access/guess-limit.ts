import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { digestOf } from './api-key.ts';

const WINDOW_S = 60;
const PROVEN_MS = 60 * 60_000;
const MOST_PROVEN = 10_000;

/**
 * Slows down whoever tries out keys: after some unknown ones within a minute an address is refused until the minute
 * is over. A key that was right from there within the last hour passes nevertheless, so that whoever shares an address
 * with the guesser, behind a proxy or on one machine, is not shut out.
 *
 * Each api counts for itself, in memory: what wants no key asks no Redis.
 */
export class GuessLimit {
  readonly #most: number;
  readonly #failures: RateLimiterMemory;
  readonly #proven = new Map<string, number>();

  /** @param most unknown keys that an address may send within a minute */
  constructor(most: number) {
    this.#most = most;
    this.#failures = new RateLimiterMemory({ points: most, duration: WINDOW_S });
  }

  /** How long this address must wait before it can try this key; 0: not at all. */
  async waitMs(address: string, key: string): Promise<number> {
    const failures = await this.#failures.get(networkOf(address));
    if (!failures || failures.consumedPoints < this.#most) return 0;
    const provenAt = this.#proven.get(pairOf(address, key)) ?? 0;
    return Date.now() - provenAt < PROVEN_MS ? 0 : Math.max(1, failures.msBeforeNext);
  }

  async wrong(address: string): Promise<void> {
    await this.#failures.penalty(networkOf(address));
  }

  right(address: string, key: string): void {
    const pair = pairOf(address, key);
    this.#proven.delete(pair);
    this.#proven.set(pair, Date.now());
    if (this.#proven.size <= MOST_PROVEN) return;
    const [oldest] = this.#proven.keys();
    if (oldest !== undefined) this.#proven.delete(oldest);
  }
}

function pairOf(address: string, key: string): string {
  return `${networkOf(address)} ${digestOf(key).toString('base64')}`;
}

/** Whoever has an IPv6 address has 2^64 of them (RFC 6177); its first four groups stand for all. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  const between = Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: between }, () => '0'), ...right];
  return groups.slice(0, 4).join(':');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16).toString(16));
}
