import { defineCommand } from 'citty';

const description = `Make, list and revoke keys of the API. Asks the api at API_INTERNAL_URL, with API_KEY.

Examples:
  trunkline key create n8n --scopes read,call
  trunkline key create crm --scopes read --expires 90d --rate-limit 600
  KEY=$(trunkline key create ci --scopes read --expires 12h)    only the key is on standard output
  trunkline key list
  trunkline key revoke key_01kampx9zn3q7c5hxvvvnsyxsw`;

const keyCommand = defineCommand({
  meta: { name: 'key', description },
  subCommands: {
    create: () => import('./key/create.ts').then((module) => module.default),
    list: () => import('./key/list.ts').then((module) => module.default),
    revoke: () => import('./key/revoke.ts').then((module) => module.default),
  },
});

export default keyCommand;
