import { SentinelConnector, type Redis, type SentinelConnectionOptions } from 'ioredis';

type Connect = (...args: unknown[]) => Redis;

/**
 * ioredis' connections to the Sentinels that tell of a failover have no listener for errors, so that each attempt to
 * reach a dead Sentinel is written to the error output as it is. A Sentinel that is away is no news: there are
 * others, and where there is none the client itself says so.
 */
export class QuietSentinels extends SentinelConnector {
  /** As ioredis makes it, with its own options. */
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    const connect = this['connectToSentinel'].bind(this) as Connect;
    const quiet: Connect = (...args) => {
      const sentinel = connect(...args);
      sentinel.on('error', () => undefined);
      return sentinel;
    };
    this['connectToSentinel'] = quiet;
  }
}
