import type { Config } from '../../platform/config.ts';

export type HostPlan = {
  /** Hosts that stand ready for calls. */
  hosts: number;
  callsPerHost: number;
  /** Calls that the worker takes at a time. */
  capacity: number;
  /** A process for each call, which ends with it. */
  isolated: boolean;
};

/**
 * How many host processes a worker has, and how many calls each. At least two by default: where one dies, the
 * other goes on with its calls at once.
 */
export function planHosts(
  config: Pick<Config, 'WORKER_MAX_CALLS' | 'WORKER_HOSTS' | 'CALLS_PER_HOST'>,
  cores: number,
): HostPlan {
  const most = config.WORKER_MAX_CALLS;
  if (config.CALLS_PER_HOST === 1) {
    return { hosts: 1, callsPerHost: 1, capacity: most, isolated: true };
  }
  const byCalls =
    config.CALLS_PER_HOST === undefined ? undefined : Math.ceil(most / config.CALLS_PER_HOST);
  const hosts = config.WORKER_HOSTS ?? byCalls ?? Math.max(2, cores);
  const callsPerHost = config.CALLS_PER_HOST ?? Math.ceil(most / hosts);
  return { hosts, callsPerHost, capacity: Math.min(most, hosts * callsPerHost), isolated: false };
}
