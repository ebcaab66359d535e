import path from 'node:path';
import { defineCommand } from 'citty';
import { environmentSchema, type VariableName } from '../../platform/config-schema.ts';
import { isSensitive, loadConfig } from '../../platform/config.ts';
import { maskSecret } from '../../platform/mask.ts';
import { portWidths, wantedPorts } from '../addresses.ts';
import { firewallTable, firewallText } from '../firewall.ts';
import { explicitValues } from '../prepare-stack.ts';
import { findSipReach } from '../sip-reach.ts';
import { inventSecrets } from '../stack-environment.ts';

export default defineCommand({
  meta: {
    name: 'config',
    description:
      'Show the effective configuration: each value, where it comes from and what it means; secrets masked.\n\n' +
      'With --ports: what a firewall must let through to this machine.\n\n' +
      'Examples:\n  trunkline config\n  trunkline config --json\n  trunkline config --ports',
  },
  args: {
    json: { type: 'boolean', description: 'print JSON' },
    ports: { type: 'boolean', description: 'the ports of this machine, and who must reach them' },
    root: { type: 'string', description: 'folder of .env (default: this folder)' },
  },
  async run({ args }) {
    const root = path.resolve(args.root ?? process.cwd());
    const config = loadConfig({ root, fallbacks: inventSecrets() });
    if (args.ports) {
      const rows = firewallTable({
        ports: wantedPorts(explicitValues(config)),
        rtpWidth: portWidths(config).rtp,
        reach: await findSipReach(config),
        apiIsPublic: config.API_HOST !== '127.0.0.1',
      });
      process.stdout.write(args.json ? `${JSON.stringify(rows)}\n` : firewallText(rows));
      return;
    }
    const made = new Set<string>(Object.keys(inventSecrets()));
    const rows = (Object.keys(environmentSchema.shape) as VariableName[]).map((name) => {
      const value = config[name];
      const origin = config.origins[name];
      const shown = value === undefined ? '' : String(value);
      return {
        name,
        value: isSensitive(name) ? maskSecret(shown) : shown,
        origin: origin === 'default' && made.has(name) ? 'random at each start' : origin,
        meaning: environmentSchema.shape[name].description ?? '',
      };
    });
    if (args.json) {
      process.stdout.write(`${JSON.stringify(rows)}\n`);
      return;
    }
    for (const { name, value, origin, meaning } of rows) {
      process.stdout.write(
        `${name.padEnd(29)} ${value.padEnd(30)} ${origin.padEnd(21)} ${meaning}\n`,
      );
    }
  },
});
