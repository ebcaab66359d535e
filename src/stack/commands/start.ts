import path from 'node:path';
import { defineCommand } from 'citty';
import { asError, OperatorError } from '../../platform/errors.ts';
import { explain } from '../../platform/service.ts';
import { startWithDocker } from '../setup/docker-route.ts';
import { permitN8n, writeEnvFile } from '../setup/env-file.ts';
import { requirePorts } from '../prepare-stack.ts';
import { startNatively } from '../setup/native-route.ts';
import { dockerProblem, preflight, type Route } from '../setup/preflight.ts';

export default defineCommand({
  meta: {
    name: 'start',
    description:
      'Set up everything on this machine, start it and show that it works (what start_scripts/start.sh runs).\n\n' +
      'Modes: smart (checks first, waits for health, falls back), --simple (no checks), --legacy (plain compose).\n\n' +
      'Examples:\n' +
      '  ./start_scripts/start.sh             set up, start, place a demo call; Ctrl-C stops\n' +
      '  ./start_scripts/start.sh --demo      place the demo call, stop everything, exit 0 if it took place\n' +
      '  ./start_scripts/start.sh --native    without Docker, even where an engine runs\n' +
      '  ./start_scripts/start.sh --n8n       let webhooks go to an n8n on this machine or in Docker',
  },
  args: {
    demo: { type: 'boolean', description: 'place the demo call, print it, stop everything' },
    simple: { type: 'boolean', description: 'start without checks and without waiting for health' },
    legacy: { type: 'boolean', description: 'plain docker compose up' },
    native: { type: 'boolean', description: 'without Docker' },
    docker: { type: 'boolean', description: 'with Docker compose' },
    n8n: {
      type: 'boolean',
      description:
        'let webhooks go to an n8n on this machine or in Docker: sets WEBHOOK_ALLOWED_NETWORKS in .env where it is not set',
    },
    ports: { type: 'string', default: 'standard', description: 'standard | auto (free ports)' },
    root: {
      type: 'string',
      description: 'folder of .env, agents/ and trunks.yaml (default: this folder)',
    },
  },
  async run({ args }) {
    const root = path.resolve(args.root ?? process.cwd());
    const options = {
      root,
      demoOnly: args.demo === true,
      ports: args.ports === 'auto' ? ('auto' as const) : ('standard' as const),
    };
    if (args.n8n) permitN8nFor(root);
    const asked: Route | undefined = args.native ? 'native' : args.docker ? 'docker' : undefined;
    if (args.legacy) return startWithDocker({ ...options, mode: 'legacy' });
    if (args.simple) {
      const route = asked ?? (dockerProblem() === undefined ? 'docker' : 'native');
      return route === 'docker'
        ? startWithDocker({ ...options, mode: 'simple' })
        : startNatively({ ...options, mode: 'simple' });
    }
    await startSmart(options, asked);
  },
});

/** Webhooks go to public addresses only, unless the operator says otherwise. */
function permitN8nFor(root: string): void {
  writeEnvFile(root);
  const done = permitN8n(root)
    ? 'webhooks may go to an n8n on this machine or in Docker (WEBHOOK_ALLOWED_NETWORKS in .env)'
    : 'WEBHOOK_ALLOWED_NETWORKS is set in .env already, and stays as it is';
  process.stdout.write(`  ✓ ${done}\n`);
}

type Options = { root: string; demoOnly: boolean; ports: 'standard' | 'auto' };

/** Checks, then Docker or native; a way that fails gives over to the next, and says why. */
async function startSmart(options: Options, asked: Route | undefined): Promise<void> {
  const report = preflight(options.root, asked, { test: false });
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  say('Trunkline');
  say(`  system    ${report.system}, ${report.freeDiskGb.toFixed(0)} GB free`);
  say(`  route     ${report.route} (${report.why})`);
  say(`  gets      ${report.lacks.length > 0 ? report.lacks.join(', ') : 'nothing: all is here'}`);
  say(`  takes     ${report.estimate}\n`);
  if (report.route === 'native' && options.ports === 'standard') await requirePorts(options.root);
  if (report.problems.length > 0) throw new OperatorError(report.problems.join('\n'));
  if (report.route === 'docker') {
    try {
      return await startWithDocker({ ...options, mode: 'smart' });
    } catch (thrown) {
      if (asked === 'docker') throw thrown;
      say(`\nDocker did not work out, so it goes on without: ${asError(thrown).message}\n`);
    }
  }
  try {
    await startNatively({ ...options, mode: 'smart' });
  } catch (thrown) {
    // What its reader can mend is not mended by trying it in another way.
    if (thrown instanceof OperatorError || options.demoOnly) throw thrown;
    say(
      `\nThe checked start failed, so it is tried without checks (--simple):\n${explain(thrown)}\n`,
    );
    await startNatively({ ...options, mode: 'simple' });
  }
}
