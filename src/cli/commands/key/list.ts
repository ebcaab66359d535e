import { defineCommand } from 'citty';
import { z } from 'zod';
import { ApiClient } from '../../api-client.ts';
import { table } from '../../table.ts';
import { keySchema, type KeyView } from './key-view.ts';

const PAGE = 200;

export default defineCommand({
  meta: {
    name: 'list',
    description:
      'List the keys, newest first. The one of the configuration, API_KEY, is none of them.\n\n' +
      'Examples:\n  trunkline key list\n  trunkline key list --all\n' +
      "  trunkline key list --json | jq -r '.[] | select(.last_used_at == null) | .id'",
  },
  args: {
    all: { type: 'boolean', description: 'also those that were revoked' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args }) {
    const keys = await fetchAll(ApiClient.ofConfig());
    const shown = args.all ? keys : keys.filter(({ state }) => state !== 'revoked');
    process.stdout.write(args.json ? `${JSON.stringify(shown)}\n` : describe(shown));
  },
});

async function fetchAll(client: ApiClient): Promise<KeyView[]> {
  const schema = z.object({ keys: z.array(keySchema), next_cursor: z.string().nullable() });
  const all: KeyView[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, cursor };
    const page = await client.json('GET', '/api/keys', schema, { query });
    all.push(...page.keys);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

function describe(keys: readonly KeyView[]): string {
  if (keys.length === 0) return 'There are no keys but API_KEY.\n';
  return table(
    ['ID', 'NAME', 'KEY', 'SCOPES', 'STATE', 'A MINUTE', 'EXPIRES', 'LAST USED'],
    keys.map((key) => [
      key.id,
      key.name,
      `${key.prefix}…`,
      key.scopes.join(','),
      key.state,
      key.rate_limit === null ? '-' : String(key.rate_limit),
      minute(key.expires_at),
      minute(key.last_used_at),
    ]),
  );
}

function minute(time: string | null): string {
  return time === null ? '-' : time.slice(0, 16).replace('T', ' ');
}
