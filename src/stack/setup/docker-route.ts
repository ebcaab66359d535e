import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../platform/config.ts';
import { OperatorError } from '../../platform/errors.ts';
import { httpProbe, waitUntilReady } from '../probe.ts';
import { writeEnvFile } from './env-file.ts';
import { n8nHint } from './n8n-hint.ts';
import { dockerProblem } from './preflight.ts';

/** Images are built and pulled the first time. */
const HEALTH_LIMIT_MS = 10 * 60_000;

/**
 * Starts the services of docker-compose.yaml. `smart` waits for health and places the demo call, `simple`
 * only starts, `legacy` runs compose in the foreground as it is.
 * @throws OperatorError where no engine runs or compose fails.
 */
export async function startWithDocker(options: {
  root: string;
  demoOnly: boolean;
  mode: 'smart' | 'simple' | 'legacy';
}): Promise<void> {
  const problem = dockerProblem();
  if (problem !== undefined) {
    throw new OperatorError(`Docker cannot be used: ${problem}.`, {
      remedy: 'Start Docker, or run ./start_scripts/start.sh --native.',
    });
  }
  if (writeEnvFile(options.root)) process.stdout.write('  ✓ .env with random secrets\n');
  // Docker would make it itself, for root alone.
  mkdirSync(path.join(options.root, 'conversations'), { recursive: true, mode: 0o700 });
  const compose = (...args: string[]) =>
    docker(options.root, ['compose', '--profile', 'simulator', ...args]);
  if (options.mode === 'legacy') return compose('up');
  await compose('up', '--detach', '--build', ...(options.mode === 'smart' ? ['--wait'] : []));
  if (options.mode === 'simple') return;
  const healthy = await waitUntilReady(
    httpProbe('http://127.0.0.1:8000/health'),
    HEALTH_LIMIT_MS,
    new AbortController().signal,
  );
  if (!healthy) {
    throw new OperatorError('The api did not become healthy.', {
      remedy: '`docker compose ps` and `docker compose logs api-server` tell why.',
    });
  }
  try {
    await compose('exec', '-T', 'simulator', 'bin/trunkline', 'simulate', '--demo');
  } finally {
    if (options.demoOnly) await compose('down');
  }
  process.stdout.write(
    '\nTrunkline is up: http://127.0.0.1:8000/docs. `docker compose logs -f` shows it, `docker compose down` stops it.\n',
  );
  const hint = await n8nHint(loadConfig({ root: options.root }));
  if (hint !== undefined) process.stdout.write(hint);
}

async function docker(root: string, args: string[]): Promise<void> {
  const child = spawn('docker', args, { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new OperatorError(`\`docker ${args.join(' ')}\` ended with code ${code}.`);
}
