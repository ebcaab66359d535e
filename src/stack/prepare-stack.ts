import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { loadConfig, type Config } from '../platform/config.ts';
import { freePorts, portWidths, standardPorts, type Ports } from './addresses.ts';
import { clearLeftovers } from './leftovers.ts';
import { planStack } from './process-specs.ts';
import { findSipReach } from './sip-reach.ts';
import { runsRedis } from './runs-redis.ts';
import { Stack } from './stack.ts';
import { addressEnvironment, inventSecrets, stackFolders } from './stack-environment.ts';

export type StackOptions = {
  /** Folder of `.env`, personalities and trunks. */
  root: string;
  /** Folder of the program. */
  sourceRoot: string;
  ports: 'standard' | 'auto';
  simulator: boolean;
};

export type PreparedStack = {
  stack: Stack;
  config: Config;
  ports: Ports;
  /** Environment that finds this stack: for programs that are run against it. */
  environment: Record<string, string | undefined>;
  /** Processes that an earlier stack had left and that were ended. */
  ended: string[];
};

/**
 * Everything that can be known before the first process starts: configuration, ports, folders.
 * @throws ConfigError, or OperatorError for ports in use, a stack that runs already, a missing server.
 */
export async function prepareStack(options: StackOptions): Promise<PreparedStack> {
  const { root } = options;
  const given = process.env;
  const secrets = inventSecrets();
  const first = loadConfig({ root, environment: given, fallbacks: secrets });
  const dataDir = path.resolve(root, first.DATA_DIR);
  const folders = stackFolders(dataDir);
  const ended = await clearLeftovers(folders.state);
  const ports =
    options.ports === 'auto'
      ? await freePorts(portWidths(first))
      : await standardPorts(explicitValues(first), portWidths(first));
  const whole: Record<string, string | undefined> = {
    ...given,
    LIVEKIT_API_KEY: first.LIVEKIT_API_KEY,
    LIVEKIT_API_SECRET: first.LIVEKIT_API_SECRET,
    API_KEY: first.API_KEY,
    ...addressEnvironment(ports, '127.0.0.1'),
    ...(runsRedis(first) ? {} : { REDIS_URL: first.REDIS_URL }),
    DATA_DIR: dataDir,
    AGENTS_DIR: path.resolve(root, first.AGENTS_DIR),
    PROMPTS_DIR: path.resolve(root, first.PROMPTS_DIR),
    TRUNKS_FILE: path.resolve(root, first.TRUNKS_FILE),
  };
  const config = loadConfig({ root, environment: whole });
  for (const folder of [dataDir, folders.logs, folders.redis]) {
    mkdirSync(folder, { recursive: true });
    // Logs, the queue and the ledger hold people's data.
    chmodSync(folder, 0o700);
  }
  const plan = planStack({
    config,
    ports,
    environment: whole,
    sourceRoot: options.sourceRoot,
    simulator: options.simulator,
    reach: await findSipReach(config),
  });
  const stack = new Stack(plan, {
    cwd: root,
    logs: folders.logs,
    logLimits: { bytes: config.LOG_FILE_MB * 1024 * 1024, keep: config.LOG_FILES_KEEP },
    state: folders.state,
  });
  return { stack, config, ports, environment: whole, ended };
}

/**
 * Finds out before anything is built whether the standard ports are free.
 * @throws OperatorError naming those in use, or a stack that runs already.
 */
export async function requirePorts(root: string): Promise<void> {
  const config = loadConfig({ root, fallbacks: inventSecrets() });
  await clearLeftovers(stackFolders(path.resolve(root, config.DATA_DIR)).state);
  await standardPorts(explicitValues(config), portWidths(config));
}

/** What somebody set, without the defaults. */
export function explicitValues(config: Config): Partial<Config> {
  const entries = Object.entries(config.origins).filter(
    ([, origin]) => origin === 'environment' || origin === '.env',
  );
  return Object.fromEntries(
    entries.map(([name]) => [name, config[name as keyof typeof config.origins]]),
  );
}
