import { setTimeout as sleep } from 'node:timers/promises';
import { claimApology, keepApology, renewApology } from '../../call/apology/own-voice.ts';
import type { Personalities } from '../../personality/personalities.ts';
import type { Personality } from '../../personality/personality.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import type { Releases } from '../../platform/releases.ts';

export type ApologyKeeping = {
  redis: Redis;
  personalities: Pick<Personalities, 'list'>;
  /** The apology of a personality in its own voice, G.711 µ-law, 8 kHz. */
  speak: (personality: Personality) => Promise<Buffer>;
  log: Log;
};

/** After the start, in which a host has better things to do. */
const FIRST_LOOK_MS = 5000;
/** New voices come with changed personalities. */
const LOOK_MS = 10 * 60_000;

/**
 * Has the sentence that ends a call without an agent made ahead, in the voice of each personality: when it is
 * needed, neither its vendor nor a worker may be there. One of the simulator has the recorded one.
 */
export function keepApologies(options: ApologyKeeping & { releases: Releases }): void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const keep = async () => {
    for (let waitMs = FIRST_LOOK_MS; !signal.aborted; waitMs = LOOK_MS) {
      // Aborted: no reason to wait the rest.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      await makeApologies(options, signal);
    }
  };
  const kept = keep();
  options.releases.add('apologies', async () => {
    stopping.abort();
    await kept;
  });
}

/** Makes those that are missing, one after the other. Of several processes one makes each. */
export async function makeApologies(options: ApologyKeeping, signal?: AbortSignal): Promise<void> {
  const { redis, personalities, speak, log } = options;
  for (const personality of personalities.list()) {
    if (signal?.aborted) return;
    if (personality.simulated) continue;
    try {
      if (await renewApology(redis, personality)) continue;
      if (!(await claimApology(redis, personality))) continue;
      await keepApology(redis, personality, await speak(personality));
      log.info(
        { personality: personality.key },
        'the apology was made in the voice of a personality',
      );
    } catch (thrown) {
      log.warn(
        { err: asError(thrown), personality: personality.key },
        'the apology could not be made in the voice of a personality; the recorded one will do',
      );
    }
  }
}
