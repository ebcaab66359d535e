import type { Redis } from '../platform/redis.ts';
import { Gatherer } from '../platform/gatherer.ts';
import type { CallId } from './call-id.ts';
import { readFence, takeFence, type DialingFence } from './dial-fence.ts';

/**
 * `taken`: dial. `refused`: another attempt has the fence, or the call has ended. `unsafe`: it was taken, but a
 * failover could lose it; give it back.
 */
export type FenceAnswer = 'taken' | 'refused' | 'unsafe';

type Asked = { callId: CallId; dialing: DialingFence };

/** A replica that is there answers within a few ms. */
const WAIT_MS = 1000;

/** Fences of one trip to Redis. */
const MOST = 50;

/**
 * Takes fences that outlive their Redis. Replication is asynchronous: a master that dies takes with it what it
 * acknowledged last, and a fence that is lost so would let the call be dialled a second time. So nobody dials
 * before as many replicas as are wanted have the fence (WAIT). After a failover in the middle, WAIT speaks of the
 * new master's connection and not of our write: only a fence that is still read afterwards counts.
 *
 * Needs a connection of its own, which WAIT holds up.
 */
export class ReplicatedFences {
  readonly #redis: Redis;
  readonly #replicas: number;
  readonly #asked: Gatherer<Asked, FenceAnswer>;

  constructor(redis: Redis, replicas: number) {
    this.#redis = redis;
    this.#replicas = replicas;
    this.#asked = new Gatherer(async (asked) => this.#takeAll(asked), MOST);
  }

  async take(callId: CallId, dialing: DialingFence): Promise<FenceAnswer> {
    return this.#asked.add({ callId, dialing });
  }

  async #takeAll(asked: readonly Asked[]): Promise<PromiseSettledResult<FenceAnswer>[]> {
    const taken = await Promise.all(
      asked.map(async ({ callId, dialing }) => takeFence(this.#redis, callId, dialing)),
    );
    if (this.#replicas === 0) {
      return taken.map((each) => answer(each ? 'taken' : 'refused'));
    }
    const have = await this.#redis.wait(this.#replicas, WAIT_MS);
    return Promise.all(
      asked.map(async ({ callId, dialing }, index) => {
        if (taken[index] !== true) return answer('refused');
        if (have < this.#replicas) return answer('unsafe');
        const fence = await readFence(this.#redis, callId);
        const stands = fence?.state === 'dialing' && fence.attempt === dialing.attempt;
        return answer(stands ? 'taken' : 'unsafe');
      }),
    );
  }
}

function answer(value: FenceAnswer): PromiseSettledResult<FenceAnswer> {
  return { status: 'fulfilled', value };
}
