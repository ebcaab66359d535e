import path from 'node:path';
import { defineCommand } from 'citty';
import { installPackages, missingPackages } from '../setup/debian-packages.ts';
import { writeEnvFile } from '../setup/env-file.ts';
import { buildServers, missingServers } from '../setup/go-servers.ts';
import { installSchemathesis } from '../setup/schemathesis.ts';

export default defineCommand({
  meta: {
    name: 'setup',
    description:
      'Get what this machine lacks to run without Docker: Debian packages and the two LiveKit servers.\n\n' +
      'Examples:\n  trunkline setup\n  trunkline setup --test    also what the tests need',
  },
  args: {
    test: { type: 'boolean', description: 'also what the tests need (Postgres, schemathesis)' },
    root: { type: 'string', description: 'folder in which .env is written (default: this folder)' },
  },
  async run({ args }) {
    const servers = missingServers();
    const packages = missingPackages({
      build: servers.length > 0,
      test: args.test === true,
    });
    await installPackages(packages);
    await buildServers(servers);
    if (args.test === true) await installSchemathesis();
    if (args.test !== true && writeEnvFile(path.resolve(args.root ?? process.cwd()))) {
      process.stdout.write('  ✓ .env with random secrets\n');
    }
  },
});
