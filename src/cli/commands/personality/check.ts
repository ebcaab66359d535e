import { defineCommand } from 'citty';
import type { Config } from '../../../platform/config.ts';
import { OperatorError } from '../../../platform/errors.ts';
import { formatProblem } from '../../../platform/yaml-file.ts';
import type { Personality } from '../../../personality/personality.ts';
import type { LiveCheck } from '../../../personality/providers/live-check.ts';
import { find, openFiles } from './open.ts';

type Checked = { personality: string; simulated: boolean; live?: LiveCheck[] };

export default defineCommand({
  meta: {
    name: 'check',
    description: 'Check all personalities and prompts, or one; exits 1 where anything is wrong.',
  },
  args: {
    name: { type: 'positional', description: 'one personality; absent: all', required: false },
    live: {
      type: 'boolean',
      description:
        'make one real request to each vendor: is the key good, and how fast is the answer',
    },
    timeout: {
      type: 'string',
      default: '10',
      description: 'seconds that a vendor may take',
      valueHint: 'SECONDS',
    },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args }) {
    const timeoutMs = Number(args.timeout) * 1000;
    if (!(timeoutMs > 0 && timeoutMs <= 120_000)) {
      throw new OperatorError('--timeout must be a number of seconds up to 120');
    }
    const { config, loaded } = await openFiles();
    const chosen =
      args.name === undefined ? [...loaded.personalities.values()] : [find(loaded, args.name)];
    const checked: Checked[] = [];
    for (const personality of chosen) {
      const { key, simulated } = personality;
      const live = args.live ? { live: await callVendors(personality, config, timeoutMs) } : {};
      checked.push({ personality: key, simulated, ...live });
    }
    const problems = args.name === undefined ? loaded.problems : [];
    const failed = checked.some(({ live }) => live?.some(({ ok }) => !ok));
    if (args.json) {
      process.stdout.write(`${JSON.stringify({ problems, personalities: checked })}\n`);
    } else {
      for (const problem of problems) process.stdout.write(`✗ ${formatProblem(problem)}\n`);
      for (const one of checked) process.stdout.write(report(one));
    }
    if (problems.length > 0 || failed) process.exitCode = 1;
  },
});

async function callVendors(
  personality: Personality,
  config: Config,
  timeoutMs: number,
): Promise<LiveCheck[]> {
  const { initializeLogger } = await import('@livekit/agents');
  initializeLogger({ pretty: false, level: 'silent' });
  // The framework reports a failed synthesis and then leaves its promise unhandled.
  const ignore = () => undefined;
  process.on('unhandledRejection', ignore);
  try {
    const { checkLive } = await import('../../../personality/providers/live-check.ts');
    return await checkLive(personality, { config, timeoutMs });
  } finally {
    // Those rejections are told in a later turn of the event loop.
    setTimeout(() => process.off('unhandledRejection', ignore), 1000).unref();
  }
}

function report({ personality, simulated, live }: Checked): string {
  const notice = simulated ? '  (on the simulator: it takes no real calls)' : '';
  const lines = (live ?? []).map((check) => {
    const who = `${check.component}  ${check.provider}`.padEnd(20);
    return check.ok
      ? `    ✓ ${who}answered in ${check.ms} ms`
      : `    ✗ ${who}${check.problem}. ${check.remedy}`;
  });
  const good = (live ?? []).every(({ ok }) => ok);
  return [`${good ? '✓' : '✗'} ${personality}${notice}`, ...lines, ''].join('\n');
}
