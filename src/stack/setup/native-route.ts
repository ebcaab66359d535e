import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { holdUntilSignal } from '../hold-until-signal.ts';
import { prepareStack, type PreparedStack } from '../prepare-stack.ts';
import { provisionTrunks } from '../provision-trunks.ts';
import { sourceRoot } from '../source-root.ts';
import { installPackages, missingPackages } from './debian-packages.ts';
import { writeEnvFile } from './env-file.ts';
import { buildServers, missingServers } from './go-servers.ts';
import { n8nHint } from './n8n-hint.ts';
import { nextSteps } from './next-steps.ts';

/** Variables of which one is enough to talk through a real vendor. */
const VENDOR_KEYS = [
  'OPENAI_API_KEY',
  'DEEPGRAM_API_KEY',
  'AZURE_SPEECH_KEY',
  'AZURE_OPENAI_API_KEY',
] as const;

/**
 * Sets up and runs everything on this machine until a signal comes; with `demoOnly` until the demo call is
 * over, and exits 1 unless its conversation took place.
 */
export async function startNatively(options: {
  root: string;
  demoOnly: boolean;
  ports: 'standard' | 'auto';
  mode: 'smart' | 'simple';
}): Promise<void> {
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const servers = missingServers();
  await installPackages(missingPackages({ build: servers.length > 0, test: false }));
  await buildServers(servers);
  if (writeEnvFile(options.root)) say('  ✓ .env with random secrets');
  const prepared = await prepareStack({
    root: options.root,
    sourceRoot,
    ports: options.ports,
    simulator: true,
  });
  const finished = new AbortController();
  await holdUntilSignal(
    prepared.stack,
    async () => {
      if (options.mode === 'simple') {
        void prepared.stack.start(() => undefined).catch((error: Error) => say(error.message));
        say(nextSteps(prepared));
        return;
      }
      await prepared.stack.start(({ process: name, state, ms }) => {
        if (state === 'ready') say(`  ✓ ${name} (${(ms / 1000).toFixed(1)} s)`);
      });
      await provisionTrunks(prepared.environment);
      say('  ✓ trunks and dispatch rules\n');
      const keyless = VENDOR_KEYS.every((name) => prepared.config[name] === undefined);
      if (keyless || options.demoOnly) {
        const code = await placeDemoCall(prepared);
        if (options.demoOnly) {
          process.exitCode = code;
          finished.abort();
          return;
        }
      }
      say(nextSteps(prepared));
      const hint = await n8nHint(prepared.config);
      if (hint !== undefined) say(hint);
    },
    finished.signal,
  );
}

/** Places the demo call and prints the conversation as it happens. Resolves to the program's exit code. */
async function placeDemoCall({ config, environment }: PreparedStack): Promise<number> {
  const program = path.join(sourceRoot, 'src/cli/main.ts');
  const recordings = path.join(config.DATA_DIR, 'recordings');
  const child = spawn(process.execPath, [program, 'simulate', '--demo', '--record', recordings], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
