import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Redis } from '../../platform/redis.ts';

export const TICKET_MS = 30_000;

const holderSchema = z.object({ id: z.string(), name: z.string() });
export type TicketHolder = z.output<typeof holderSchema>;

/**
 * Permits to watch once, within 30 s: browsers cannot send a header with a WebSocket or an EventSource, and a key in
 * an address would stand in logs and histories. Redis has only a digest of it.
 */
export class Tickets {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async issue({ id, name }: TicketHolder): Promise<{ ticket: string; expiresAt: Date }> {
    const ticket = `tick_${randomBytes(24).toString('base64url')}`;
    const expiresAt = new Date(Date.now() + TICKET_MS);
    await this.#redis.set(keyOf(ticket), JSON.stringify({ id, name }), 'PX', TICKET_MS);
    return { ticket, expiresAt };
  }

  /** Whose ticket it is; undefined where it was used, has expired, or is none. It cannot be used again. */
  async redeem(ticket: string): Promise<TicketHolder | undefined> {
    const text = await this.#redis.getdel(keyOf(ticket));
    return text === null ? undefined : holderSchema.parse(JSON.parse(text));
  }
}

function keyOf(ticket: string): string {
  return `trunkline:live-ticket:${createHash('sha256').update(ticket).digest('hex')}`;
}
