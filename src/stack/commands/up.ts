import path from 'node:path';
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { defineCommand } from 'citty';
import { prepareStack, type PreparedStack } from '../prepare-stack.ts';
import { provisionTrunks } from '../provision-trunks.ts';
import { holdUntilSignal } from '../hold-until-signal.ts';
import { sourceRoot } from '../source-root.ts';
import { waitForStack } from '../wait-for-stack.ts';

export default defineCommand({
  meta: {
    name: 'up',
    description:
      'Run all of Trunkline on this machine and keep it running until Ctrl-C or `trunkline down`.\n\n' +
      'Examples:\n' +
      '  trunkline up                         the standard ports, in the foreground\n' +
      '  trunkline up --detach                in the background\n' +
      '  trunkline up --json --ports auto     free ports; one line of JSON when all is ready',
  },
  args: {
    json: {
      type: 'boolean',
      description: 'print one line with every address and the API key when ready',
    },
    ports: {
      type: 'string',
      default: 'standard',
      description: 'standard | auto (free ports, for several stacks)',
    },
    detach: { type: 'boolean', alias: 'd', description: 'run in the background' },
    simulator: {
      type: 'boolean',
      default: true,
      description: 'run the stand-ins for vendors and people',
      negativeDescription: 'run without the simulator',
    },
    root: {
      type: 'string',
      description: 'folder of .env, agents/ and trunks.yaml (default: this folder)',
    },
  },
  async run({ args, rawArgs }) {
    const root = path.resolve(args.root ?? process.cwd());
    if (args.detach) {
      await detach(root, rawArgs);
      return;
    }
    const prepared = await prepareStack({
      root,
      sourceRoot,
      ports: args.ports === 'auto' ? 'auto' : 'standard',
      simulator: args.simulator,
    });
    const say = (text: string) =>
      void (args.json ? process.stderr : process.stdout).write(`${text}\n`);
    if (prepared.ended.length > 0)
      say(`Ended what an earlier stack left: ${prepared.ended.join(', ')}`);
    await holdUntilSignal(prepared.stack, async () => {
      await prepared.stack.start(({ process: name, state, ms }) => {
        if (state === 'ready') say(`  ${name.padEnd(15)} ready after ${(ms / 1000).toFixed(1)} s`);
      });
      await provisionTrunks(prepared.environment);
      if (args.json) process.stdout.write(`${JSON.stringify(describe(prepared))}\n`);
      else say(`\nTrunkline is up: ${prepared.config.API_INTERNAL_URL} (API), Ctrl-C stops it.`);
    });
  },
});

/** What a program that starts a stack needs to know of it. */
function describe({ config, ports, stack }: PreparedStack): Record<string, unknown> {
  return {
    ready: true,
    apiUrl: config.API_INTERNAL_URL,
    apiKey: config.API_KEY,
    livekitUrl: config.LIVEKIT_URL,
    livekitApiKey: config.LIVEKIT_API_KEY,
    livekitApiSecret: config.LIVEKIT_API_SECRET,
    redisUrl: config.REDIS_URL,
    sipAddress: config.SIP_ADDRESS,
    simulatorUrl: config.SIMULATOR_URL,
    simulatorSipAddress: config.SIMULATOR_SIP_ADDRESS,
    dataDir: config.DATA_DIR,
    ports,
    processes: stack.processes.map(({ name, pid }) => ({ name, pid })),
  };
}

async function detach(root: string, rawArgs: string[]): Promise<void> {
  const args = rawArgs.filter((arg) => arg !== '--detach' && arg !== '-d');
  await waitForStack(root, (log) => {
    const output = openSync(log, 'a', 0o600);
    const child = spawn(
      process.execPath,
      [path.join(sourceRoot, 'src/stack/main.ts'), 'up', ...args],
      {
        cwd: root,
        detached: true,
        stdio: ['ignore', output, output],
      },
    );
    child.unref();
    return child;
  });
}
