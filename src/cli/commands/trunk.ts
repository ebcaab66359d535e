import { defineCommand } from 'citty';

/** `sip-management …` and `trunkline trunk …`. */
const trunkCommand = defineCommand({
  meta: { name: 'trunk', description: 'Make, list and examine the trunks (also: sip-management)' },
  subCommands: {
    ensure: () => import('./trunk/ensure.ts').then((module) => module.default),
    list: () => import('./trunk/list.ts').then((module) => module.default),
    status: () => import('./trunk/status.ts').then((module) => module.default),
  },
});

export default trunkCommand;
