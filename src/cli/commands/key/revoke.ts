import { defineCommand } from 'citty';
import { ApiClient } from '../../api-client.ts';
import { keySchema } from './key-view.ts';

export default defineCommand({
  meta: {
    name: 'revoke',
    description:
      'Revoke a key for good: at once in the api that is asked, within 5 s in others.\n\n' +
      'Examples:\n  trunkline key revoke key_01kampx9zn3q7c5hxvvvnsyxsw',
  },
  args: {
    id: {
      type: 'positional',
      required: true,
      description: 'its id, as `trunkline key list` shows it',
    },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args }) {
    const path = `/api/keys/${encodeURIComponent(args.id)}`;
    const revoked = await ApiClient.ofConfig().json('DELETE', path, keySchema);
    const text = `${revoked.name} (${revoked.id}) is revoked.`;
    process.stdout.write(`${args.json ? JSON.stringify(revoked) : text}\n`);
  },
});
