import { defineCommand } from 'citty';
import { ensureTrunks, planTrunks, type EnsureReport } from '../../../trunk/ensure.ts';
import { findingLines } from './finding-lines.ts';
import { withTrunkContext } from './trunk-context.ts';

const command = defineCommand({
  meta: {
    name: 'ensure',
    description:
      'Make the trunks and dispatch rules what the configuration says; twice changes nothing',
  },
  args: {
    'dry-run': { type: 'boolean', description: 'show what would be changed, and change nothing' },
    json: { type: 'boolean', description: 'print one JSON object' },
    lenient: {
      type: 'boolean',
      description:
        'exit 0 even when a carrier or somebody else’s object keeps a trunk from working',
    },
  },
  async run({ args }) {
    const dryRun = args['dry-run'] === true;
    const report = await withTrunkContext(async ({ config, liveKit, openRedis, trunks }) => {
      const deps = { config, trunks, sip: liveKit.sip };
      return dryRun
        ? planTrunks(deps)
        : ensureTrunks({ ...deps, redis: await openRedis() }, { waitMs: 60_000 });
    });
    const problems = report.findings.some(({ severity }) => severity === 'problem');
    process.stdout.write(args.json === true ? `${JSON.stringify(report)}\n` : describe(report));
    if (problems && args.lenient !== true) process.exitCode = 1;
  },
});

export default command;

function describe({ changed, dryRun, findings, lines }: EnsureReport): string {
  const marks = { create: '+', update: '~', delete: '-', keep: '=' } as const;
  const changes = lines.map(({ action, changes: fields, object, trunk, where }) => {
    const what = `${where} ${object.replaceAll('_', ' ')}`;
    const detail = fields.length > 0 ? `  (${fields.join(', ')})` : '';
    return `  ${marks[action]} ${action.padEnd(6)} ${trunk.padEnd(12)} ${what}${detail}`;
  });
  const summary = changed
    ? dryRun
      ? 'This is a plan; nothing was changed.'
      : 'Done.'
    : 'Everything is as it should be; nothing to change.';
  return [...changes, ...findingLines(findings), summary, ''].join('\n');
}
