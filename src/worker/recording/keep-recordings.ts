import { readdir, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isCallId } from '../../call/call-id.ts';
import type { EventPublisher } from '../../call/event-stream.ts';
import { finishRecording, removeRecording } from '../../call/recording/finish-recording.ts';
import { isRecordingFile, PART } from '../../call/recording/recording-file.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Releases } from '../../platform/releases.ts';

export type RecordingKeeping = {
  folder: string;
  /** After which a recording is removed; absent: never. */
  days: number | undefined;
  events: Pick<EventPublisher, 'publish'>;
  log: Log;
};

const LOOK_MS = 10 * 60_000;

/** A recording is written every second; one that was not for so long has lost its writer. */
const ABANDONED_MS = 60_000;

const DAY_MS = 86_400_000;

/** Looks after the folder of recordings at once and every ten minutes, until it is released. */
export function keepRecordings(options: RecordingKeeping & { releases: Releases }): void {
  const stopping = new AbortController();
  const look = async (since?: number) => {
    try {
      await finishAbandoned(options, Date.now(), since, stopping.signal);
      await removeOld(options, Date.now(), stopping.signal);
    } catch (thrown) {
      options.log.error({ err: asError(thrown) }, 'could not look after the recordings');
    }
  };
  let last = look();
  const timer = setInterval(() => {
    last = last.then(() => look(Date.now() - 2 * DAY_MS));
  }, LOOK_MS);
  options.releases.add('recordings', async () => {
    clearInterval(timer);
    stopping.abort();
    await last;
  });
}

/**
 * Makes recordings of what workers left that died with their calls, and tells the ledger. Several workers may
 * look at once: one of them tells.
 *
 * @param since only recordings that were begun on this day or later; ms since the epoch
 */
export async function finishAbandoned(
  { folder, events, log }: RecordingKeeping,
  now: number,
  since = 0,
  signal?: AbortSignal,
): Promise<void> {
  const oldest = dayOf(since);
  for (const day of await daysIn(folder)) {
    if (day < oldest) continue;
    for (const name of await readdir(path.join(folder, day))) {
      if (signal?.aborted) return;
      const call = path.basename(name, `.wav${PART}`);
      if (!name.endsWith(PART) || !isCallId(call)) continue;
      const found = await stat(path.join(folder, day, name)).catch(() => undefined);
      if (!found || now - found.mtimeMs < ABANDONED_MS) continue;
      const recorded = await finishRecording(folder, `${day}/${call}.wav`);
      if (!recorded) continue;
      await events.publish('call.recorded', call, recorded);
      log.warn({ call }, 'a recording that was broken off has been finished');
    }
  }
}

/** Removes the recordings of days that are too long ago, with the folders that are left empty. */
export async function removeOld(
  { folder, days, log }: RecordingKeeping,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  if (days === undefined) return;
  const oldest = dayOf(now - days * DAY_MS);
  for (const day of await daysIn(folder)) {
    if (signal?.aborted) return;
    if (day >= oldest) continue;
    // Whatever else somebody keeps there stays.
    const files = (await readdir(path.join(folder, day)))
      .map((name) => `${day}/${name}`)
      .filter((file) => isRecordingFile(file));
    for (const file of files) await removeRecording(folder, file);
    if (files.length > 0)
      log.info({ day, count: files.length }, 'old recordings have been removed');
    for (const empty of [day, path.dirname(day), path.dirname(path.dirname(day))]) {
      await rmdir(path.join(folder, empty)).catch(() => undefined);
    }
  }
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '/');
}

/** `yyyy/mm/dd` of every day that has a folder. */
async function daysIn(folder: string): Promise<string[]> {
  let level = [''];
  for (const name of [/^\d{4}$/, /^\d\d$/, /^\d\d$/]) {
    const below = await Promise.all(
      level.map(async (parent) => {
        const entries = await entriesOf(path.join(folder, parent));
        return entries
          .filter((entry) => entry.isDirectory() && name.test(entry.name))
          .map((entry) => path.posix.join(parent, entry.name));
      }),
    );
    level = below.flat();
  }
  return level.toSorted();
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (thrown) {
    // There is no folder before the first recording.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  }
}
