import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { defineCommand } from 'citty';
import { backupLines } from '../../backup/backup-lines.ts';
import { backupName, makeBackup } from '../../backup/make-backup.ts';
import { LEDGER_MIGRATIONS } from '../../call/ledger/ledger.ts';
import { loadConfig, resolvePath, type Config } from '../../platform/config.ts';
import { openDatabase } from '../../platform/database.ts';
import { OperatorError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { appliedMigrations } from '../../platform/migrations.ts';
import { ApiClient } from '../api-client.ts';

export default defineCommand({
  meta: {
    name: 'backup',
    description:
      'Write everything into one file: ledger, keys, webhooks, recordings and configuration.\n\n' +
      'Asks the running api; where none runs it reads the database itself. The file holds personal data and\n' +
      'secrets; only its owner can read it.\n\n' +
      'Examples:\n' +
      '  trunkline backup\n' +
      '  trunkline backup --output /mnt/backups/today.tar.gz --no-recordings\n' +
      '  30 3 * * *  cd /opt/trunkline && bin/trunkline backup --json      (crontab: each night)',
  },
  args: {
    output: {
      type: 'string',
      description: 'file to write (default: DATA_DIR/backups/trunkline-backup-TIME.tar.gz)',
    },
    recordings: { type: 'boolean', default: true, description: 'with the recordings of calls' },
    json: { type: 'boolean', description: 'tell what was written as JSON' },
  },
  async run({ args }) {
    const config = loadConfig();
    const name = backupName(new Date());
    const file = path.resolve(args.output ?? resolvePath(config, config.DATA_DIR, 'backups', name));
    const report = await makeBackup({
      config,
      file,
      lines: linesOf(config),
      recordings: args.recordings,
    });
    const calls = report.rows['calls'] ?? 0;
    process.stdout.write(
      args.json
        ? `${JSON.stringify(report)}\n`
        : `Wrote ${file}: ${calls} calls, ${report.files} files, ${megabytes(report.bytes)} MB.\n` +
            'Put it back with `trunkline restore`.\n',
    );
  },
});

async function* linesOf(config: Config): AsyncGenerator<string> {
  const answer = await askApi();
  if (answer) {
    const lines = createInterface({ input: Readable.fromWeb(answer) });
    for await (const line of lines) yield `${line}\n`;
    return;
  }
  const database = await openDatabase({
    url: config.DATABASE_URL,
    folder: resolvePath(config, config.DATA_DIR, 'database'),
    log: createLog('backup', 'error'),
  });
  try {
    if ((await appliedMigrations(database.db, LEDGER_MIGRATIONS)) === 0) {
      throw new OperatorError('There is no database yet.', { remedy: 'Start Trunkline first.' });
    }
    yield* backupLines(database.db);
  } finally {
    await database.close();
  }
}

/** The api's lines, or undefined where no api runs. */
async function askApi(): Promise<ReadableStream<Uint8Array> | undefined> {
  try {
    const { body } = await ApiClient.ofConfig().send('GET', '/api/backup');
    return body ?? undefined;
  } catch (thrown) {
    if (nobodyListens(thrown)) return undefined;
    throw thrown;
  }
}

function nobodyListens(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && error.code === 'ECONNREFUSED') return true;
  }
  return false;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
