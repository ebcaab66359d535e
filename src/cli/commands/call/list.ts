import { defineCommand } from 'citty';
import { z } from 'zod';
import { ApiClient } from '../../api-client.ts';
import { table } from '../../table.ts';
import { callView, numberOf, type CallView } from './call-view.ts';

export default defineCommand({
  meta: {
    name: 'list',
    description:
      'List calls, newest first; numbers are masked but in --json.\n\nExamples:\n' +
      '  trunkline call list --status in_progress\n  trunkline call list --outcome failed --limit 50\n' +
      "  trunkline call list --status queued --json | jq -r '.[].id'",
  },
  args: {
    status: { type: 'string', description: 'queued, dialing, ringing, in_progress or ended' },
    outcome: { type: 'string', description: 'completed, no_answer, busy, failed …' },
    direction: { type: 'string', description: 'inbound or outbound' },
    trunk: { type: 'string', description: 'name of a trunk' },
    limit: { type: 'string', default: '20', description: 'how many, 200 at most' },
    json: { type: 'boolean', description: 'as JSON, with all fields' },
  },
  async run({ args }) {
    const { status, outcome, direction, trunk, limit } = args;
    const schema = z.object({ calls: z.array(callView) });
    const query = { status, outcome, direction, trunk, limit };
    const { calls } = await ApiClient.ofConfig().json('GET', '/api/calls', schema, { query });
    process.stdout.write(args.json ? `${JSON.stringify(calls)}\n` : describe(calls));
  },
});

function describe(calls: readonly CallView[]): string {
  if (calls.length === 0) return 'There are no such calls.\n';
  return table(
    ['ID', 'STARTED', 'DIRECTION', 'NUMBER', 'STATUS', 'OUTCOME', 'TRUNK', 'PERSONALITY'],
    calls.map((call) => [
      call.id,
      call.started_at.slice(0, 19).replace('T', ' '),
      call.direction,
      numberOf(call),
      call.status,
      call.outcome ?? '-',
      call.trunk ?? '-',
      call.personality ?? '-',
    ]),
  );
}
