import type { Environment } from '../platform/config-schema.ts';
import { parseRedisAddress } from '../platform/redis-address.ts';

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '::1'];

/** Whether Redis is the stack's to run: one server on loopback, as where nothing is said. Any other is somebody else's. */
export function runsRedis({ REDIS_URL: url }: Pick<Partial<Environment>, 'REDIS_URL'>): boolean {
  if (url === undefined) return true;
  const address = parseRedisAddress(url);
  return address.kind === 'server' && LOOPBACK.includes(address.host);
}
