import { defineCommand } from 'citty';
import { z } from 'zod';
import { OperatorError } from '../../platform/errors.ts';
import { ApiClient } from '../api-client.ts';
import { table } from '../table.ts';

const MOST = 200;

const description = `Show who changed what, newest first. Asks the api at API_INTERNAL_URL, with API_KEY.

Examples:
  trunkline audit
  trunkline audit --action key --since 2026-11-01T00:00:00Z
  trunkline audit --subject key_01kampx9zn3q7c5hxvvvnsyxsw --json`;

const recordSchema = z.object({
  id: z.string(),
  at: z.string(),
  actor: z.object({ id: z.string(), name: z.string() }),
  action: z.string(),
  subject: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});

export default defineCommand({
  meta: { name: 'audit', description },
  args: {
    action: { type: 'string', description: 'key.create; or key, for all that concerns keys' },
    actor: { type: 'string', description: 'id of a key, or root (API_KEY)' },
    subject: { type: 'string', description: 'id of what was changed' },
    since: { type: 'string', description: 'at this time or later, ISO 8601 with offset' },
    limit: { type: 'string', default: '50', description: `how many, ${MOST} at most` },
    json: { type: 'boolean', description: 'as JSON, one record a line' },
  },
  async run({ args }) {
    const limit = Number(args.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
      throw new OperatorError(`--limit ${args.limit} is not possible.`, {
        remedy: `Give a whole number from 1 to ${MOST}.`,
      });
    }
    const { action, actor, subject, since } = args;
    const schema = z.object({ records: z.array(recordSchema) });
    const { records } = await ApiClient.ofConfig().json('GET', '/api/audit', schema, {
      query: { limit, action, actor, subject, since },
    });
    if (args.json) {
      process.stdout.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      return;
    }
    const rows = records.map(({ at, actor: by, action: done, subject: id, detail }) => [
      at,
      by.name,
      done,
      id ?? '-',
      JSON.stringify(detail),
    ]);
    process.stdout.write(table(['AT', 'BY', 'ACTION', 'SUBJECT', 'DETAIL'], rows));
  },
});
