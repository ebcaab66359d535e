/** Where Redis is: one server, or the master that a group of Sentinels names. */
export type RedisAddress = {
  username: string | undefined;
  password: string | undefined;
  database: number;
  tls: boolean;
} & (
  | { kind: 'server'; host: string; port: number }
  | {
      kind: 'sentinel';
      master: string;
      sentinels: { host: string; port: number }[];
      /** Of the Sentinels, where they ask for a password of their own. */
      sentinelUsername: string | undefined;
      sentinelPassword: string | undefined;
    }
);

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

const FORM =
  /^redis(?<tls>s?)(?<sentinel>\+sentinel)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?$/;

/**
 * Reads a Redis URL:
 *
 *     redis[s]://[user:password@]host[:port][/database]
 *     redis[s]+sentinel://[user:password@]host[:port][,host[:port]…]/master[/database][?sentinel_password=…]
 *
 * User and password are those of the Redis servers; `sentinel_username` and `sentinel_password` those of the
 * Sentinels.
 *
 * @throws Error saying what is wrong, without anything secret in it.
 */
export function parseRedisAddress(url: string): RedisAddress {
  const groups = FORM.exec(url)?.groups;
  if (!groups) throw new Error(`must look like ${EXAMPLES}`);
  const path = (groups['path'] ?? '').split('/').filter((part) => part !== '');
  const common = {
    username: decoded(groups['user']),
    password: decoded(groups['password']),
    tls: groups['tls'] === 's',
  };
  if (groups['sentinel'] === undefined) {
    const [first, ...others] = hostsOf(groups['hosts'] ?? '', REDIS_PORT);
    if (!first || others.length > 0) {
      throw new Error(`names several hosts, which only redis+sentinel:// may; ${EXAMPLES}`);
    }
    return { kind: 'server', ...common, ...first, database: databaseOf(path[0]) };
  }
  const [master, database] = path;
  if (master === undefined) throw new Error(`names no master; ${EXAMPLES}`);
  const query = new URLSearchParams(groups['query'] ?? '');
  return {
    kind: 'sentinel',
    ...common,
    database: databaseOf(database),
    master: decodeURIComponent(master),
    sentinels: hostsOf(groups['hosts'] ?? '', SENTINEL_PORT),
    sentinelUsername: query.get('sentinel_username') ?? undefined,
    sentinelPassword: query.get('sentinel_password') ?? undefined,
  };
}

const EXAMPLES =
  'redis://127.0.0.1:6379, or redis+sentinel://10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379/mymaster';

function hostsOf(text: string, defaultPort: number): { host: string; port: number }[] {
  return text.split(',').map((entry) => {
    const groups = HOST.exec(entry.trim())?.groups;
    const port = Number(groups?.['port'] ?? defaultPort);
    if (!groups || port < 1 || port > 65_535) {
      throw new Error(`each host must be host or host:port; ${EXAMPLES}`);
    }
    return { host: (groups['host'] ?? '').replace(/^\[|\]$/g, ''), port };
  });
}

function databaseOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,4}$/.test(text)) throw new Error('the database must be a number, for example /0');
  return Number(text);
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : decodeURIComponent(text);
}
