import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Environment } from '../platform/config-schema.ts';
import type { Ports } from './addresses.ts';

/** Values for the variables without which nothing starts: random, for a machine that has no `.env`. */
export function inventSecrets(): Record<
  'LIVEKIT_API_KEY' | 'LIVEKIT_API_SECRET' | 'API_KEY',
  string
> {
  return {
    LIVEKIT_API_KEY: `key${randomBytes(8).toString('hex')}`,
    LIVEKIT_API_SECRET: randomBytes(32).toString('base64url'),
    API_KEY: randomBytes(24).toString('base64url'),
  };
}

/** Where the processes of one machine find each other, as their environment. */
export function addressEnvironment(
  ports: Ports,
  host: string,
): Partial<Record<keyof Environment, string>> {
  return {
    REDIS_URL: `redis://${host}:${ports.redis}`,
    LIVEKIT_URL: `ws://${host}:${ports.livekit}`,
    SIP_ADDRESS: `${host}:${ports.sip}`,
    SIP_HEALTH_URL: `http://${host}:${ports.sipHealth}`,
    API_PORT: String(ports.api),
    API_INTERNAL_URL: `http://${host}:${ports.api}`,
    DISPATCHER_PORT: String(ports.dispatcher),
    TRUNK_MONITOR_PORT: String(ports.trunkMonitor),
    SIMULATOR_URL: `http://${host}:${ports.simulator}`,
    SIMULATOR_SIP_ADDRESS: `${host}:${ports.simulatorSip}`,
  };
}

/** Folders of one stack below its data folder. */
export function stackFolders(
  dataDir: string,
): Record<'logs' | 'redis' | 'state' | 'database', string> {
  return {
    logs: path.join(dataDir, 'logs'),
    redis: path.join(dataDir, 'redis'),
    state: path.join(dataDir, 'stack.json'),
    database: path.join(dataDir, 'database'),
  };
}
