import { defineCommand } from 'citty';
import { z } from 'zod';
import { scopes } from '../../../access/scope.ts';
import { OperatorError } from '../../../platform/errors.ts';
import { ApiClient } from '../../api-client.ts';
import { expiryOf } from './expiry.ts';
import { keySchema } from './key-view.ts';

const description = `Make a key. It is shown once, on standard output; the api keeps only its hash.

Scopes: read (look at calls), call (also place and steer them), manage (also webhooks, keys and data).

Examples:
  trunkline key create n8n --scopes read,call
  trunkline key create crm --scopes read --expires 90d --rate-limit 600`;

export default defineCommand({
  meta: { name: 'create', description },
  args: {
    name: { type: 'positional', required: true, description: 'whose it is, for people' },
    scopes: {
      type: 'string',
      required: true,
      valueHint: 'read,call,manage',
      description: 'what it permits, with commas',
    },
    expires: {
      type: 'string',
      valueHint: '90d',
      description: 'good for so long (12h, 90d, 8w), or until a date; absent: until it is revoked',
    },
    'rate-limit': {
      type: 'string',
      valueHint: 'N',
      description: 'requests a minute; absent: as many as come',
    },
    json: { type: 'boolean', description: 'print the answer of the API, with the key, as JSON' },
  },
  async run({ args }) {
    const body = {
      name: args.name,
      scopes: scopesOf(args.scopes),
      ...(args.expires === undefined ? {} : { expires_at: expiryOf(args.expires) }),
      ...(args['rate-limit'] === undefined ? {} : { rate_limit: Number(args['rate-limit']) }),
    };
    if (Number.isNaN(body.rate_limit)) {
      throw new OperatorError(`--rate-limit ${args['rate-limit']} is no number.`, {
        remedy: 'Give requests a minute, for example --rate-limit 600.',
      });
    }
    const schema = keySchema.extend({ key: z.string() });
    const made = await ApiClient.ofConfig().json('POST', '/api/keys', schema, { body });
    if (args.json) {
      process.stdout.write(`${JSON.stringify(made)}\n`);
      return;
    }
    process.stdout.write(`${made.key}\n`);
    const limit = made.rate_limit === null ? '' : `, ${made.rate_limit} requests a minute`;
    const until = made.expires_at === null ? '' : `, until ${made.expires_at}`;
    process.stderr.write(
      `\n${made.name} (${made.id}): ${made.scopes.join(', ')}${limit}${until}.\n` +
        'Keep it now: it is not shown again. It goes into the header X-API-Key.\n',
    );
  },
});

function scopesOf(text: string): string[] {
  const given = text.split(',').map((scope) => scope.trim());
  const wrong = given.filter((scope) => !scopes.some((known) => known === scope));
  if (wrong.length === 0) return [...new Set(given)];
  throw new OperatorError(`There is no scope ${wrong.join(', ') || '(empty)'}.`, {
    remedy: `There are: ${scopes.join(', ')}. For example --scopes read,call.`,
  });
}
