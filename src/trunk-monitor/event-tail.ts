import { setTimeout as delay } from 'node:timers/promises';
import type { CallEvent } from '../call/call-event.ts';
import { EVENT_STREAM, parseStreamEntry } from '../call/event-stream.ts';
import { trunkEventIn } from '../call/trunk-entries.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';

const BLOCK_MS = 5000;
const PAUSE_MS = 1000;

/**
 * Hands on each call event that is published from now on, until `signal` aborts. Reads beside the ledger's
 * group and acknowledges nothing.
 *
 * @param redis a connection of its own, since reading blocks it
 */
export async function tailEvents(
  redis: Redis,
  log: Log,
  signal: AbortSignal,
  onEvent: (event: CallEvent) => void,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      // Not `$`: what is published between two reads would be missed.
      last ??= (await redis.xrevrange(EVENT_STREAM, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
      const answer = await redis.xread(
        'COUNT',
        200,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        EVENT_STREAM,
        last,
      );
      for (const [id, fields] of answer?.[0]?.[1] ?? []) {
        last = id;
        hand(fields, log, onEvent);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      log.warn({ err: asError(thrown) }, 'could not read call events');
      await delay(PAUSE_MS);
    }
  }
}

function hand(fields: readonly string[], log: Log, onEvent: (event: CallEvent) => void): void {
  try {
    // What this process itself has said about a trunk.
    if (trunkEventIn(fields)) return;
    onEvent(parseStreamEntry(fields));
  } catch (thrown) {
    log.warn({ err: asError(thrown) }, 'a call event is of an unknown kind');
  }
}
