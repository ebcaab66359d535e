import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeTime } from 'ulid';

const ENDINGS = ['md', 'json'] as const;
type Ending = (typeof ENDINGS)[number];

/** Begins the name of a file that is being written. */
const UNFINISHED = '.unfinished-';
const ABANDONED_MS = 3_600_000;

/**
 * A folder with a file per conversation, for nobody but its owner. Several processes may write the same file: each
 * does so aside, and the last to finish has it.
 */
export class ConversationFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder where there is none, and removes what writers left that died. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const before = Date.now() - ABANDONED_MS;
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(UNFINISHED)) continue;
      const file = path.join(this.#folder, name);
      const found = await stat(file).catch(() => undefined);
      if (found && found.mtimeMs < before) await rm(file, { force: true });
    }
  }

  /** Writes a conversation, or writes it again. After a crash it is there as a whole, or not at all. */
  async write(callId: string, ending: Ending, content: string): Promise<void> {
    const name = `${nameOf(callId)}.${ending}`;
    const aside = path.join(this.#folder, `${UNFINISHED}${name}.${randomUUID()}`);
    try {
      const file = await open(aside, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, path.join(this.#folder, name));
    } catch (thrown) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw thrown;
    }
  }

  /** Removes a conversation in every format, also one that is only half written. */
  async remove(callId: string): Promise<void> {
    const names = ENDINGS.map((ending) => `${nameOf(callId)}.${ending}`);
    const there = await readdir(this.#folder).catch((thrown: unknown) => {
      if (isMissing(thrown)) return [];
      throw thrown;
    });
    const unfinished = there.filter((one) =>
      names.some((name) => one.startsWith(`${UNFINISHED}${name}.`)),
    );
    for (const name of [...names, ...unfinished]) {
      await rm(path.join(this.#folder, name), { force: true });
    }
  }
}

/** `2026-11-21_call_…`: the day (UTC) is that of the id, so that who knows the id knows the name. */
function nameOf(callId: string): string {
  const safe = callId.replace(/[^\w]/g, '-');
  return `${dayOf(callId)}_${safe}`;
}

function dayOf(callId: string): string {
  try {
    const time = decodeTime(callId.slice('call_'.length).toUpperCase());
    return new Date(time).toISOString().slice(0, 10);
  } catch {
    return 'undated';
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
