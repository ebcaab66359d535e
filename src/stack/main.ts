import { runMain } from '../platform/run-main.ts';

/** `trunkline up | down | ps | logs | watch | config | setup | start`: the commands that run a machine. */
await runMain(
  {
    name: 'trunkline',
    description: 'Run Trunkline on this machine.',
  },
  {
    up: () => import('./commands/up.ts').then((module) => module.default),
    down: () => import('./commands/down.ts').then((module) => module.default),
    ps: () => import('./commands/ps.ts').then((module) => module.default),
    logs: () => import('./commands/logs.ts').then((module) => module.default),
    watch: () => import('./commands/watch.ts').then((module) => module.default),
    config: () => import('./commands/config.ts').then((module) => module.default),
    setup: () => import('./commands/setup.ts').then((module) => module.default),
    start: () => import('./commands/start.ts').then((module) => module.default),
  },
);
