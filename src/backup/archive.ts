import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack, type Pack } from 'tar-stream';
import { z } from 'zod';
import { OperatorError } from '../platform/errors.ts';

/**
 * A backup: one `.tar.gz`, readable by its owner only.
 *
 *   manifest.json      what it is, first
 *   database.jsonl     all rows (`database-dump.ts`)
 *   config/…           .env, personalities, prompts, trunks.yaml as they were
 *   recordings/…       as they lie in the folder of recordings
 */
const manifestSchema = z.object({
  format: z.literal(1),
  madeAt: z.iso.datetime(),
  rows: z.record(z.string(), z.number()),
});
export type Manifest = z.infer<typeof manifestSchema>;

const DATABASE = 'database.jsonl';

/** A file of the archive: its name there, and where it lies. */
export type ArchivedFile = { name: string; path: string };

/** Writes a backup, whole or not at all. */
export async function writeArchive(
  file: string,
  content: {
    manifest: Manifest;
    /** A file with the lines of the database. */
    database: string;
    files: readonly ArchivedFile[];
  },
): Promise<void> {
  const draft = `${file}.part`;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const archive = pack();
  const written = pipeline(archive, createGzip(), createWriteStream(draft, { mode: 0o600 }));
  // Whichever fails first tells; the other ends with it.
  written.catch((error: Error) => archive.destroy(error));
  try {
    archive.entry({ name: 'manifest.json', mode: 0o600 }, JSON.stringify(content.manifest));
    await addFile(archive, { name: DATABASE, path: content.database });
    for (const one of content.files) await addFile(archive, one);
    archive.finalize();
    await written;
    await rename(draft, file);
  } catch (thrown) {
    archive.destroy();
    rmSync(draft, { force: true });
    throw thrown;
  }
}

async function addFile(archive: Pack, { name, path: file }: ArchivedFile): Promise<void> {
  const { size } = statSync(file);
  const entry = archive.entry({ name, size, mode: 0o600 });
  // A recording may grow while it is read: what is promised is what is written.
  await pipeline(size === 0 ? [] : createReadStream(file, { end: size - 1 }), entry);
}

/** What is done with the parts of a backup, in the order in which they stand in it. */
export type ArchiveReader = {
  manifest: (manifest: Manifest) => Promise<void>;
  database: (lines: AsyncIterator<string>) => Promise<void>;
  file: (name: string, content: Readable) => Promise<void>;
};

/** Reads a backup from its beginning to its end. @throws OperatorError where it is none, or broken */
export async function readArchive(file: string, reader: ArchiveReader): Promise<void> {
  const archive = extract();
  const source = pipeline(createReadStream(file), createGunzip(), archive);
  source.catch(() => undefined);
  try {
    let known = false;
    for await (const entry of archive) {
      const { name, type } = entry.header;
      const content = Readable.from(entry);
      if (type !== 'file') throw new Error('an entry that is no file');
      if (name === 'manifest.json') {
        await reader.manifest(manifestSchema.parse(JSON.parse(await textOf(content))));
        known = true;
        continue;
      }
      if (!known) throw new Error('no manifest');
      if (name === DATABASE) await reader.database(linesOf(content));
      else await reader.file(name, content);
      // What nobody wanted must be read all the same.
      content.resume();
    }
    if (!known) throw new Error('no manifest');
    await source;
  } catch (thrown) {
    archive.destroy();
    if (thrown instanceof OperatorError) throw thrown;
    throw new OperatorError(`${path.basename(file)} cannot be read as a backup.`, {
      remedy: 'Take a whole file that `trunkline backup` wrote.',
      cause: thrown,
    });
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function linesOf(input: Readable): AsyncIterator<string> {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
}
