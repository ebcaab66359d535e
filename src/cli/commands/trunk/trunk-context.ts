import { once } from 'node:events';
import { loadConfig, type Config } from '../../../platform/config.ts';
import { OperatorError } from '../../../platform/errors.ts';
import { connectLiveKit, type LiveKit } from '../../../platform/livekit.ts';
import { createLog } from '../../../platform/log.ts';
import { connectRedis, type Redis } from '../../../platform/redis.ts';
import { Releases } from '../../../platform/releases.ts';
import { loadTrunks } from '../../../trunk/load-trunks.ts';
import type { Trunk } from '../../../trunk/trunk.ts';

export type TrunkContext = {
  config: Config;
  trunks: readonly Trunk[];
  liveKit: LiveKit;
  /** Connects to Redis; rejects with an OperatorError where it does not answer. */
  openRedis: () => Promise<Redis>;
};

const REDIS_TIMEOUT_MS = 5000;

/** Runs a command with what the trunk commands need, and releases it afterwards. */
export async function withTrunkContext<T>(work: (context: TrunkContext) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const releases = new Releases();
  const openRedis = async (): Promise<Redis> => {
    // The command tells what is wrong itself; a log would only stand in its output.
    const redis = connectRedis(config.REDIS_URL, createLog('sip-management', 'silent'), 'patient');
    releases.add('redis', () => redis.disconnect());
    try {
      await once(redis, 'ready', { signal: AbortSignal.timeout(REDIS_TIMEOUT_MS) });
    } catch (thrown) {
      throw new OperatorError('Redis does not answer at REDIS_URL.', {
        remedy: 'start it, or correct REDIS_URL',
        cause: thrown,
      });
    }
    return redis;
  };
  try {
    const trunks = loadTrunks(config);
    return await work({ config, trunks, liveKit: connectLiveKit(config), openRedis });
  } finally {
    await releases.run();
  }
}
