import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { GuessLimit } from './guess-limit.ts';
import { KeyRateLimit } from './key-rate-limit.ts';
import { KeyRing } from './key-ring.ts';
import { Keys } from './keys.ts';

/** Who may do what, and how often. */
export type Access = {
  ring: KeyRing;
  keys: Keys;
  rateLimit: KeyRateLimit;
  guessLimit: GuessLimit;
  close(): Promise<void>;
};

export function openAccess(deps: {
  rootKey: string;
  /** Unknown keys that an address may send within a minute. */
  wrongKeysPerMinute: number;
  rows: WorkspaceRows;
  redis: Redis;
  log: Log;
}): Access {
  const ring = new KeyRing(deps);
  return {
    ring,
    keys: new Keys({ rows: deps.rows, ring }),
    rateLimit: new KeyRateLimit(deps),
    guessLimit: new GuessLimit(deps.wrongKeysPerMinute),
    close: () => ring.close(),
  };
}
