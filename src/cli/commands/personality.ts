import { defineCommand } from 'citty';

const description = `Check and look at personalities (agents/*.yaml) and their prompts.

Examples:
  trunkline personality check                      every problem, with file, line and column
  trunkline personality check --live               one real request to each vendor, with its time
  trunkline personality show receptionist          what the model is told, and the greeting
  trunkline personality show appointment_reminder --direction outbound --var name=Ada`;

const personalityCommand = defineCommand({
  meta: { name: 'personality', description },
  subCommands: {
    check: () => import('./personality/check.ts').then((module) => module.default),
    list: () => import('./personality/list.ts').then((module) => module.default),
    show: () => import('./personality/show.ts').then((module) => module.default),
    schema: () => import('./personality/schema.ts').then((module) => module.default),
  },
});

export default personalityCommand;
