import path from 'node:path';
import { defineCommand } from 'citty';
import { backupLines } from '../../backup/backup-lines.ts';
import { backupName, makeBackup } from '../../backup/make-backup.ts';
import { restoreBackup } from '../../backup/restore-backup.ts';
import { openOffline } from '../../backup/open-offline.ts';
import { holdsRows } from '../../platform/database-load.ts';
import { loadConfig, resolvePath } from '../../platform/config.ts';

const WORKSPACE = 'default';

export default defineCommand({
  meta: {
    name: 'restore',
    description:
      'Put a backup back, also one of an earlier version. Trunkline must be stopped.\n\n' +
      'Calls that were open when the backup was made end as failed, since it is not known whether they were\n' +
      'dialled since; those scheduled for later than now stay queued.\n\n' +
      'Examples:\n' +
      '  trunkline restore data/backups/trunkline-backup-20261121-033000.tar.gz\n' +
      '  trunkline restore FILE --replace     what is there is backed up before\n' +
      '  trunkline restore FILE --config      also .env, personalities, prompts and trunks',
  },
  args: {
    file: { type: 'positional', description: 'what `trunkline backup` wrote', required: true },
    replace: { type: 'boolean', description: 'also where the database holds data' },
    config: { type: 'boolean', description: 'put the configuration back as well' },
    json: { type: 'boolean', description: 'tell what was done as JSON' },
  },
  async run({ args }) {
    const config = loadConfig();
    const database = await openOffline(config);
    try {
      let before: string | undefined;
      if (args.replace && (await holdsRows(database.db))) {
        const name = `before-restore-${backupName(new Date())}`;
        before = resolvePath(config, config.DATA_DIR, 'backups', name);
        const lines = backupLines(database.db);
        await makeBackup({ config, file: before, lines, recordings: false });
        if (!args.json) process.stdout.write(`Backed up what was there: ${before}\n`);
      }
      const report = await restoreBackup({
        config,
        file: path.resolve(args.file),
        database,
        workspace: WORKSPACE,
        replace: args.replace === true,
        withConfig: args.config === true,
      });
      const { openCalls } = report;
      process.stdout.write(
        args.json
          ? `${JSON.stringify({ ...report, before })}\n`
          : `Restored the backup of ${report.madeAt}: ${report.rows['calls'] ?? 0} calls, ` +
              `${report.recordings} recordings, ${report.config} files of the configuration.\n` +
              `Of the calls that were open, ${openCalls.ended} ended as failed and ${openCalls.queued} wait for ` +
              'their time.\nStart it with `trunkline up`.\n',
      );
    } finally {
      await database.close();
    }
  },
});
