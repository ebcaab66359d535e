import { defineCommand } from 'citty';

export default defineCommand({
  meta: { name: 'notify', description: 'Messages to the operator by chat and mail' },
  subCommands: { test: () => import('./notify/test.ts').then((module) => module.default) },
});
