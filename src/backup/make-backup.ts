import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  type Dirent,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isRecordingFile, recordingsFolder } from '../call/recording/recording-file.ts';
import { resolvePath, type Config } from '../platform/config.ts';
import { OperatorError } from '../platform/errors.ts';
import { writeArchive, type ArchivedFile } from './archive.ts';

export type BackupReport = {
  file: string;
  bytes: number;
  rows: Record<string, number>;
  files: number;
};

/**
 * Writes a backup.
 *
 * @param lines of the database, from `backupLines`
 * @throws OperatorError where the lines end early
 */
export async function makeBackup(options: {
  config: Config;
  file: string;
  lines: AsyncIterable<string>;
  recordings: boolean;
}): Promise<BackupReport> {
  const { config, file } = options;
  if (existsSync(file)) {
    throw new OperatorError(`${file} is there already.`, { remedy: 'Name another file.' });
  }
  const folder = path.dirname(path.resolve(file));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = path.join(folder, `.${path.basename(file)}.${process.pid}.jsonl`);
  try {
    const counts: { rows?: Record<string, number> } = {};
    await pipeline(
      Readable.from(watched(options.lines, counts)),
      createWriteStream(database, { mode: 0o600 }),
    );
    if (!counts.rows) throw new OperatorError('The database could not be read to its end.');
    const files = [...configFiles(config), ...(options.recordings ? recordings(config) : [])];
    const manifest = { format: 1 as const, madeAt: new Date().toISOString(), rows: counts.rows };
    await writeArchive(file, { manifest, database, files });
    return { file, bytes: statSync(file).size, rows: counts.rows, files: files.length };
  } finally {
    rmSync(database, { force: true });
  }
}

/** `trunkline-backup-20261121-113000.tar.gz`, in UTC. */
export function backupName(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split('T');
  return `trunkline-backup-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}.tar.gz`;
}

/** Passes the lines on, and notes the count of rows that the last one tells. */
async function* watched(
  lines: AsyncIterable<string>,
  counts: { rows?: Record<string, number> },
): AsyncGenerator<string> {
  for await (const line of lines) {
    if (line.startsWith('{"end":true')) {
      counts.rows = (JSON.parse(line) as { rows: Record<string, number> }).rows;
    }
    yield line;
  }
}

function configFiles(config: Config): ArchivedFile[] {
  const single = ['.env', config.TRUNKS_FILE].map((name) => resolvePath(config, name));
  return [
    ...single
      .filter((file) => existsSync(file))
      .map((file) => ({ name: `config/${path.basename(file)}`, path: file })),
    ...filesBelow(resolvePath(config, config.AGENTS_DIR), 'config/agents'),
    ...filesBelow(resolvePath(config, config.PROMPTS_DIR), 'config/prompts'),
  ];
}

/** Those that are finished. */
function recordings(config: Config): ArchivedFile[] {
  const prefix = 'recordings/';
  return filesBelow(recordingsFolder(config), 'recordings').filter(({ name }) =>
    isRecordingFile(name.slice(prefix.length)),
  );
}

function filesBelow(folder: string, name: string): ArchivedFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || (entry.isSymbolicLink() && leadsToFile(entry)))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ name: `${name}/${path.relative(folder, file)}`, path: file }));
}

/** What a link leads to is kept as the file that it is here; one that leads nowhere is left out. */
function leadsToFile({ parentPath, name }: Dirent): boolean {
  const found = statSync(path.join(parentPath, name), { throwIfNoEntry: false });
  return found?.isFile() === true;
}
