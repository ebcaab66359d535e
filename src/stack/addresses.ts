import type { Environment } from '../platform/config-schema.ts';
import { OperatorError } from '../platform/errors.ts';
import { isPortFree, takeFreePorts } from './free-ports.ts';
import { rtpWidth, sipMaxCalls } from './rtp-ports.ts';
import { runsRedis } from './runs-redis.ts';

/** Every port that a stack on one machine listens on. */
export type Ports = {
  redis: number;
  livekit: number;
  livekitTcp: number;
  livekitUdp: number;
  sip: number;
  sipHealth: number;
  sipMetrics: number;
  /** First of the UDP ports of livekit-sip; see `rtpWidth`. */
  rtp: number;
  api: number;
  dispatcher: number;
  /** First of as many as there are workers. */
  worker: number;
  trunkMonitor: number;
  simulator: number;
  simulatorSip: number;
};

/** How many neighbouring ports those want that are several. */
export type PortWidths = { workers: number; rtp: number };

/** @param config of this machine */
export function portWidths(
  config: Pick<Environment, 'SIP_MAX_CALLS' | 'NUM_AGENTS' | 'WORKER_MAX_CALLS'>,
): PortWidths {
  return { workers: config.NUM_AGENTS, rtp: rtpWidth(sipMaxCalls(config)) };
}

const defaults: Ports = {
  redis: 6379,
  livekit: 7880,
  livekitTcp: 7881,
  livekitUdp: 7882,
  sip: 5060,
  sipHealth: 8085,
  sipMetrics: 8086,
  rtp: 10_000,
  api: 8000,
  dispatcher: 8083,
  worker: 8100,
  trunkMonitor: 8084,
  simulator: 8090,
  simulatorSip: 5070,
};

const portNames = Object.keys(defaults) as (keyof Ports)[];

/** Neighbouring ports that a name stands for. */
function width(name: keyof Ports, widths: PortWidths): number {
  if (name === 'rtp') return widths.rtp;
  return name === 'worker' ? widths.workers : 1;
}

/** The standard ports, moved to where the configuration says otherwise. */
export function wantedPorts(environment: Partial<Environment>): Ports {
  return {
    ...defaults,
    redis: portOf(environment.REDIS_URL, defaults.redis),
    livekit: portOf(environment.LIVEKIT_URL, defaults.livekit),
    sip: portOf(environment.SIP_ADDRESS, defaults.sip),
    sipHealth: portOf(environment.SIP_HEALTH_URL, defaults.sipHealth),
    api: environment.API_PORT ?? defaults.api,
    dispatcher: environment.DISPATCHER_PORT ?? defaults.dispatcher,
    trunkMonitor: environment.TRUNK_MONITOR_PORT ?? defaults.trunkMonitor,
    simulator: portOf(environment.SIMULATOR_URL, defaults.simulator),
    simulatorSip: portOf(environment.SIMULATOR_SIP_ADDRESS, defaults.simulatorSip),
  };
}

/**
 * The ports that are wanted.
 * @throws OperatorError naming every one that is in use, and what to do.
 */
export async function standardPorts(
  environment: Partial<Environment>,
  widths: PortWidths,
): Promise<Ports> {
  const ports = wantedPorts(environment);
  const ours = portNames.filter((name) => name !== 'redis' || runsRedis(environment));
  const busy = await busyPorts(ports, ours, widths);
  if (busy.length > 0) {
    throw new OperatorError(`These ports are in use: ${busy.join(', ')}.`, {
      remedy:
        'Stop what listens there (`trunkline down` if it is another stack; `ss -tulpn` tells), or take free ports with `--ports auto`.',
    });
  }
  return ports;
}

/** The ports in use among those that a stack wants, with their purpose. */
async function busyPorts(
  ports: Ports,
  names: readonly (keyof Ports)[],
  widths: PortWidths,
): Promise<string[]> {
  const busy: string[] = [];
  for (const name of names) {
    const count = name === 'rtp' ? 1 : width(name, widths);
    for (let port = ports[name]; port < ports[name] + count; port += 1) {
      if (!(await isPortFree(port))) busy.push(`${port} (${name})`);
    }
  }
  return busy;
}

/** Free ports for everything, so that several stacks run side by side. */
export async function freePorts(widths: PortWidths): Promise<Ports> {
  const taken = new Set<number>();
  const ports = { ...defaults };
  for (const name of portNames) ports[name] = await takeFreePorts(width(name, widths), taken);
  return ports;
}

function portOf(address: string | undefined, fallback: number): number {
  const port = address?.match(/:(\d+)(?:\/|$)/)?.[1];
  return port === undefined ? fallback : Number(port);
}
