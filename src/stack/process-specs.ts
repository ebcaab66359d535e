import path from 'node:path';
import type { Config } from '../platform/config.ts';
import type { Ports } from './addresses.ts';
import { requireProgram } from './binaries.ts';
import { livekitConfig, sipConfig, type SipReach } from './livekit-config.ts';
import { httpProbe, redisProbe } from './probe.ts';
import { stackFolders } from './stack-environment.ts';
import { runsRedis } from './runs-redis.ts';
import type { ProcessSpec } from './supervised-process.ts';

const HOST = '127.0.0.1';

export type StackPlan = {
  /** In starting order; those of one step start together, and the next step waits until all are ready. */
  steps: ProcessSpec[][];
  /** Names in stopping order. */
  stopOrder: string[];
};

/**
 * The processes of one machine. They stop so that every call is ended properly and its end is written down:
 * first no new call is dialled, then livekit-sip says BYE to all (SIGINT; after a SIGTERM it would wait for
 * ever), the workers publish the ends, and the ledger goes when it has them.
 */
export function planStack(options: {
  config: Config;
  ports: Ports;
  environment: Record<string, string | undefined>;
  sourceRoot: string;
  simulator: boolean;
  reach: SipReach;
}): StackPlan {
  const { config, ports, environment, sourceRoot } = options;
  const folders = stackFolders(config.DATA_DIR);
  const own = (name: string, port: number, stopWithinMs: number, extra = {}): ProcessSpec => ({
    name,
    command: process.execPath,
    args: [path.join(sourceRoot, 'src', name.replace(/-\d+$/, ''), 'main.ts')],
    environment: { ...environment, ...extra },
    ready: httpProbe(`http://${HOST}:${port}/health`),
    stop: [{ signal: 'SIGTERM', withinMs: stopWithinMs }],
  });

  const redis: ProcessSpec = {
    name: 'redis',
    command: runsRedis(config) ? requireProgram('redis-server') : '',
    args: flags({
      port: String(ports.redis),
      bind: HOST,
      dir: folders.redis,
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
    }),
    environment,
    ready: redisProbe(ports.redis),
    stop: [{ signal: 'SIGTERM', withinMs: 10_000 }],
  };
  const livekit: ProcessSpec = {
    name: 'livekit-server',
    command: requireProgram('livekit-server'),
    args: [],
    environment: { ...environment, LIVEKIT_CONFIG: livekitConfig(config, ports) },
    ready: httpProbe(`http://${HOST}:${ports.livekit}`),
    stop: [
      { signal: 'SIGTERM', withinMs: 1000 },
      { signal: 'SIGTERM', withinMs: 5000 },
    ],
  };
  const sip: ProcessSpec = {
    name: 'livekit-sip',
    command: requireProgram('livekit-sip'),
    args: [],
    environment: { ...environment, SIP_CONFIG_BODY: sipConfig(config, ports, options.reach) },
    ready: httpProbe(config.SIP_HEALTH_URL),
    stop: [{ signal: 'SIGINT', withinMs: 5000 }],
  };
  const workers = Array.from({ length: config.NUM_AGENTS }, (_, index) => {
    const port = ports.worker + index;
    const name = config.NUM_AGENTS === 1 ? 'worker' : `worker-${index + 1}`;
    // Calls outlive their worker's main process: its hosts go on with them.
    return {
      ...own(name, port, 15_000, { WORKER_PORT: String(port) }),
      leavesGroup: true,
    };
  });
  const simulator = own('simulator', ports.simulator, 5000);
  const api = own('api', ports.api, 10_000);
  const dispatcher = own('dispatcher', ports.dispatcher, 10_000);
  const monitor = own('trunk-monitor', ports.trunkMonitor, 5000);

  return {
    steps: [
      [...(runsRedis(config) ? [redis] : []), ...(options.simulator ? [simulator] : [])],
      [livekit, api],
      [sip, ...workers],
      [dispatcher, monitor],
    ],
    stopOrder: [
      'trunk-monitor',
      'dispatcher',
      'livekit-sip',
      ...workers.map(({ name }) => name),
      'simulator',
      'api',
      'livekit-server',
      'redis',
    ],
  };
}

function flags(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}
