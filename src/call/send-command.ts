import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from '../platform/redis.ts';
import { commandChannel, type CallCommand, type CommandAnswer } from './call-command.ts';
import type { CallId } from './call-id.ts';
import { moveCommand, openCommand, readCommand } from './command-record.ts';

/** How long a sender waits, in ms. */
export type CommandPatience = {
  /** While nobody listens: the agent may be starting, or getting its connection back. */
  nobodyMs: number;
  /** While somebody listens and does not take the command. */
  takenMs: number;
  /** From the beginning to the answer. */
  answeredMs: number;
};

const USUAL: CommandPatience = { nobodyMs: 2000, takenMs: 4000, answeredMs: 8000 };

export type Sent =
  | { kind: 'answered'; answer: CommandAnswer }
  /** It is being carried out and is not finished yet. */
  | { kind: 'under_way' }
  /** No agent listens. Nothing was done, and nothing will be. */
  | { kind: 'nobody' }
  /** The agent listens and did not take it. Nothing was done, and nothing will be. */
  | { kind: 'not_taken' }
  /** Something else was asked under this id. */
  | { kind: 'id_reused' };

const RESEND_MS = 500;
const LOOK_MS = 50;

/**
 * Asks the agent of a call to do something, and waits for its answer. Channels of Redis forget, so it is asked
 * again until the agent has taken it; the command's id keeps it from being done twice.
 *
 * @param command.id of the sender's choice; asked again with it, the same answer comes for a day
 * @param command.hash of what is asked
 */
export async function sendCommand(
  redis: Redis,
  callId: CallId,
  command: { id: string; hash: string; content: CallCommand },
  patience: Partial<CommandPatience> = {},
): Promise<Sent> {
  const { nobodyMs, takenMs, answeredMs } = { ...USUAL, ...patience };
  const { id, hash } = command;
  const known = await openCommand(redis, callId, id, hash);
  if (known.hash !== hash) return { kind: 'id_reused' };
  await moveCommand(redis, callId, id, 'withdrawn', 'sent');

  const message = JSON.stringify({ id, command: command.content });
  const start = performance.now();
  let askedAt = Number.NEGATIVE_INFINITY;
  let heard = false;
  for (;;) {
    const record = await readCommand(redis, callId, id);
    if (record?.answer) return { kind: 'answered', answer: record.answer };
    const now = performance.now();
    const waited = now - start;
    if (record?.state === 'running') {
      if (waited >= answeredMs) return { kind: 'under_way' };
    } else if (waited >= (heard ? takenMs : nobodyMs)) {
      if (await moveCommand(redis, callId, id, 'sent', 'withdrawn')) {
        return { kind: heard ? 'not_taken' : 'nobody' };
      }
    } else if (now - askedAt >= RESEND_MS) {
      askedAt = now;
      heard = (await redis.publish(commandChannel(callId), message)) > 0;
    }
    await sleep(LOOK_MS);
  }
}
