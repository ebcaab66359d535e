import {
  copyFile,
  mkdir,
  open,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import path from 'node:path';
import { finishRecording, type Recorded } from '../../call/recording/finish-recording.ts';
import { bytesOf, HEADER_BYTES, muLawHeader, soundBytes } from '../../call/recording/mu-law-wav.ts';
import { NEXT, PART } from '../../call/recording/recording-file.ts';
import { asError } from '../../platform/errors.ts';

/** Sound that waits for a slow disk: two minutes. */
const MOST_WAITING = 2 * 1024 * 1024;

/** A minute of it. */
const SILENCE = Buffer.alloc(bytesOf(60_000), 0xff);

/**
 * Writes a recording while its call runs. What has been written can be played whatever happens next: the
 * header says "up to the end of the file" until the true length is known. Nothing here throws; the first
 * failure is told once, and there is no recording then.
 */
export class RecordingWriter {
  readonly #folder: string;
  readonly #file: string;
  readonly #onFailure: (error: Error) => void;
  #tail: Promise<FileHandle | undefined>;
  #waiting = 0;
  #failed = false;

  /**
   * @param options.file below the folder of recordings
   * @param options.continuesAtMs goes on, at this time of it, with a recording whose writer died; what is missing
   *   is silence
   * @param options.openFile for tests
   */
  constructor(options: {
    folder: string;
    file: string;
    onFailure: (error: Error) => void;
    continuesAtMs?: number | undefined;
    openFile?: typeof open;
  }) {
    this.#folder = options.folder;
    this.#file = options.file;
    this.#onFailure = options.onFailure;
    const { openFile = open, continuesAtMs } = options;
    this.#tail = this.#attempt(undefined, () =>
      continuesAtMs === undefined ? this.#open(openFile) : this.#continue(openFile, continuesAtMs),
    );
  }

  /** Returns at once. */
  append(bytes: Buffer): void {
    if (this.#failed || bytes.length === 0) return;
    this.#waiting += bytes.length;
    if (this.#waiting > MOST_WAITING) this.#fail(new Error('the disk is too slow'));
    this.#tail = this.#tail.then((handle) =>
      this.#attempt(handle, async () => {
        await handle?.appendFile(bytes);
        this.#waiting -= bytes.length;
        return handle;
      }),
    );
  }

  /** Closes the file and leaves it as it is: another agent goes on with it. */
  async abandon(): Promise<void> {
    this.#tail = this.#tail.then(async (handle) => {
      await handle?.close().catch(() => undefined);
      return undefined;
    });
    await this.#tail;
    this.#failed = true;
  }

  /** @returns undefined where there is no recording. */
  async finish(): Promise<Recorded | undefined> {
    this.#tail = this.#tail.then((handle) =>
      this.#attempt(handle, async () => {
        await handle?.close();
        return undefined;
      }),
    );
    await this.#tail;
    if (this.#failed) return undefined;
    try {
      return await finishRecording(this.#folder, this.#file);
    } catch (thrown) {
      this.#fail(asError(thrown));
      await this.#discard(undefined);
      return undefined;
    }
  }

  get #part(): string {
    return `${path.join(this.#folder, this.#file)}${PART}`;
  }

  async #open(openFile: typeof open): Promise<FileHandle> {
    await mkdir(path.dirname(this.#part), { recursive: true, mode: 0o700 });
    const handle = await openFile(this.#part, 'wx', 0o600);
    try {
      await handle.appendFile(muLawHeader());
    } catch (thrown) {
      await this.#discard(handle);
      throw thrown;
    }
    return handle;
  }

  /**
   * In a copy: a writer that was only taken for dead, and has the file open, must not write into it. Where there is
   * nothing to go on with, as on another machine without the folder, all before is silence.
   */
  async #continue(openFile: typeof open, atMs: number): Promise<FileHandle> {
    const next = `${this.#part}${NEXT}`;
    await mkdir(path.dirname(next), { recursive: true, mode: 0o700 });
    await rm(next, { force: true });
    try {
      await copyFile(this.#part, next);
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown;
      await writeFile(next, muLawHeader(), { mode: 0o600 });
    }
    const { size } = await stat(next);
    const written = soundBytes(size);
    await truncate(next, HEADER_BYTES + written);
    const handle = await openFile(next, 'a', 0o600);
    try {
      await rename(next, this.#part);
      let missing = bytesOf(atMs) - written;
      for (; missing > 0; missing -= SILENCE.length) {
        await handle.appendFile(SILENCE.subarray(0, missing));
      }
    } catch (thrown) {
      await this.#discard(handle);
      throw thrown;
    }
    return handle;
  }

  async #attempt(
    handle: FileHandle | undefined,
    step: () => Promise<FileHandle | undefined>,
  ): Promise<FileHandle | undefined> {
    try {
      if (!this.#failed) return await step();
    } catch (thrown) {
      this.#fail(asError(thrown));
    }
    if (handle) await this.#discard(handle);
    return undefined;
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onFailure(error);
  }

  /** Half a recording would pass for a whole one, and a full disk has better uses for its bytes. */
  async #discard(handle: FileHandle | undefined): Promise<void> {
    await handle?.close().catch(() => undefined);
    await rm(this.#part, { force: true }).catch(() => undefined);
  }
}
