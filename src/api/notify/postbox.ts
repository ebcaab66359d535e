import { z } from 'zod';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Channel } from './channel.ts';
import type { Message } from './message.ts';

const letterSchema = z.object({
  subject: z.string(),
  text: z.string(),
  channel: z.enum(['chat', 'mail']),
  /** Ms since the epoch, as all times here. */
  writtenAt: z.number(),
  attempts: z.number(),
  notBefore: z.number(),
});
type Letter = z.infer<typeof letterSchema>;

export const lettersSchema = z.array(letterSchema);

const RETRY_MS = { first: 30_000, most: 30 * 60_000 };
/** What is older is no news any more. */
const GIVE_UP_MS = 24 * 3_600_000;
/** Of more than so many the oldest go: the receiver has been away for a day. */
const MOST = 50;

export type Sent = (channel: Channel['name'], result: 'sent' | 'failed') => void;

/** One letter of a message for each channel. */
export function address(
  message: Message,
  channels: readonly Channel[],
  now: number,
): readonly Letter[] {
  return channels.map(({ name }) => ({
    ...message,
    channel: name,
    writtenAt: now,
    attempts: 0,
    notBefore: now,
  }));
}

/** Sends the letters that are due, and returns those that are left. A channel's letters keep their order. */
export async function deliver(
  letters: readonly Letter[],
  channels: readonly Channel[],
  options: { now: number; log: Log; onSent: Sent },
): Promise<Letter[]> {
  const { now, log } = options;
  const left: Letter[] = [];
  const stuck = new Set<string>();
  for (const letter of letters.slice(-MOST)) {
    const channel = channels.find(({ name }) => name === letter.channel);
    if (!channel || now - letter.writtenAt > GIVE_UP_MS) continue;
    if (stuck.has(letter.channel) || letter.notBefore > now) {
      stuck.add(letter.channel);
      left.push(letter);
      continue;
    }
    try {
      await channel.send(letter);
      options.onSent(letter.channel, 'sent');
    } catch (thrown) {
      options.onSent(letter.channel, 'failed');
      stuck.add(letter.channel);
      const waitMs = Math.min(RETRY_MS.first * 2 ** Math.min(letter.attempts, 10), RETRY_MS.most);
      left.push({ ...letter, attempts: letter.attempts + 1, notBefore: now + waitMs });
      log.warn(
        { err: asError(thrown), channel: letter.channel, attempts: letter.attempts + 1 },
        'a message to the operator did not go out',
      );
    }
  }
  return left;
}
