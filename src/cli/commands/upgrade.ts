import { defineCommand } from 'citty';
import { openOffline } from '../../backup/open-offline.ts';
import { upgradeDatabase } from '../../backup/upgrade-database.ts';
import { loadConfig } from '../../platform/config.ts';

export default defineCommand({
  meta: {
    name: 'upgrade',
    description:
      'Bring the data of an earlier version to this one: back it up, migrate it, and count it again.\n' +
      'Trunkline must be stopped. The api does the same migration at its start, without the backup.\n\n' +
      'Examples:\n  trunkline down && git pull && bin/trunkline upgrade && bin/trunkline up',
  },
  args: {
    json: { type: 'boolean', description: 'tell what was done as JSON' },
  },
  async run({ args }) {
    const config = loadConfig();
    const database = await openOffline(config);
    try {
      const report = await upgradeDatabase(config, database);
      if (args.json) process.stdout.write(`${JSON.stringify(report)}\n`);
      else if (report.migrations.length === 0) {
        process.stdout.write('The data is of this version already.\n');
      } else {
        process.stdout.write(
          `Migrated ${report.rows['calls'] ?? 0} calls: ${report.migrations.join(', ')}.\n` +
            (report.backup === undefined ? '' : `What was there before: ${report.backup}\n`) +
            'Start it with `trunkline up`.\n',
        );
      }
    } finally {
      await database.close();
    }
  },
});
