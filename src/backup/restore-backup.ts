import { createWriteStream, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { settleOpenCalls } from '../call/ledger/settle-open-calls.ts';
import { isRecordingFile, recordingsFolder } from '../call/recording/recording-file.ts';
import { resolvePath, type Config } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { OperatorError } from '../platform/errors.ts';
import { readArchive } from './archive.ts';
import { restoreDatabase } from './restore-database.ts';

export type RestoreReport = {
  madeAt: string;
  rows: Record<string, number>;
  recordings: number;
  config: number;
  /** Calls that were open when the backup was made: now ended, or queued still for their time. */
  openCalls: { ended: number; queued: number };
};

const RECORDINGS = 'recordings/';
const CONFIGURATION = 'config/';

/**
 * Puts a backup back: the database, the recordings, and where `config` is given the configuration.
 *
 * @throws OperatorError
 */
export async function restoreBackup(options: {
  config: Config;
  file: string;
  database: OpenDatabase;
  workspace: string;
  replace: boolean;
  /** Also put back `.env`, personalities, prompts and trunks; what is there is overwritten. */
  withConfig: boolean;
}): Promise<RestoreReport> {
  const { config, database } = options;
  const report: RestoreReport = {
    madeAt: '',
    rows: {},
    recordings: 0,
    config: 0,
    openCalls: { ended: 0, queued: 0 },
  };
  await readArchive(options.file, {
    manifest: async ({ madeAt }) => {
      report.madeAt = madeAt;
    },
    database: async (lines) => {
      report.rows = await restoreDatabase(database, lines, { replace: options.replace });
      report.openCalls = await settleOpenCalls(database.db, options.workspace, new Date());
    },
    file: async (name, content) => {
      const recording = name.startsWith(RECORDINGS) ? name.slice(RECORDINGS.length) : '';
      const configuration = name.startsWith(CONFIGURATION) ? name.slice(CONFIGURATION.length) : '';
      if (isRecordingFile(recording)) {
        await writeBelow(recordingsFolder(config), recording, content);
        report.recordings += 1;
      } else if (!staysBelow(configuration)) {
        throw new OperatorError('The backup holds a file that does not belong there.', {
          remedy: 'Take a file that `trunkline backup` wrote.',
        });
      } else if (options.withConfig) {
        await writeBelow(...placeOf(config, configuration), content);
        report.config += 1;
      }
    },
  });
  return report;
}

/** Whether a path leads to a file below a folder, whatever people call their files. */
function staysBelow(file: string): boolean {
  return file.split('/').every((part) => !['', '.', '..'].includes(part)) && !file.includes('\0');
}

/** Folder and path below it of a file of the configuration. */
function placeOf(config: Config, name: string): [folder: string, below: string] {
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0 && first === 'agents') {
    return [resolvePath(config, config.AGENTS_DIR), rest.join('/')];
  }
  if (rest.length > 0 && first === 'prompts') {
    return [resolvePath(config, config.PROMPTS_DIR), rest.join('/')];
  }
  return name === '.env'
    ? [config.root, name]
    : [path.dirname(resolvePath(config, config.TRUNKS_FILE)), path.basename(config.TRUNKS_FILE)];
}

async function writeBelow(folder: string, below: string, content: Readable): Promise<void> {
  const file = path.join(folder, below);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.part`;
  await pipeline(content, createWriteStream(draft, { mode: 0o600 }));
  renameSync(draft, file);
}
