import {
  createWriteStream,
  existsSync,
  fchmodSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  type WriteStream,
} from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { maskNumbers } from '../platform/mask.ts';

export type LogLimits = {
  /** Size from which a file is put aside and a new one begun. */
  bytes: number;
  /** Files that are kept beside the one that is written: `name.log.1` is the newest of them. */
  keep: number;
};

const standardLimits: LogLimits = { bytes: 20 * 1024 * 1024, keep: 5 };

/** After a file could not be written (a full disk, mostly) the lines of this long are lost. */
const PAUSE_MS = 5000;

/**
 * A process's log: lines with numbers masked (both LiveKit servers log them), for its owner's eyes only, rotated
 * by size. The last lines stay in memory to explain a process that does not start. Where the disk takes nothing,
 * lines are lost and counted: a log never ends the process that it is about.
 */
export class LogFile {
  readonly path: string;
  readonly #limits: LogLimits;
  readonly #tail: string[] = [];
  #stream: WriteStream | undefined;
  #size = 0;
  #lost = 0;
  #retryAt = 0;

  constructor(file: string, limits: LogLimits = standardLimits) {
    this.path = file;
    this.#limits = limits;
    this.#open();
    this.#removeBeyond();
  }

  /** Copies a stream line by line until it ends. */
  follow(source: Readable): void {
    createInterface({ input: source, crlfDelay: Infinity }).on('line', (line) => this.write(line));
  }

  write(line: string): void {
    const masked = maskNumbers(line);
    this.#tail.push(masked);
    if (this.#tail.length > 20) this.#tail.shift();
    if (this.#size > this.#limits.bytes) this.#rotate();
    if (!this.#stream && Date.now() >= this.#retryAt) this.#open();
    if (!this.#stream) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) this.#put(`${this.#lost} lines could not be written`);
    this.#lost = 0;
    this.#put(masked);
  }

  get lastLines(): string {
    return this.#tail.join('\n');
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#retryAt = Infinity;
    if (stream) await new Promise<void>((resolve) => stream.end(resolve));
  }

  #put(text: string): void {
    this.#size += Buffer.byteLength(text) + 1;
    this.#stream?.write(`${text}\n`);
  }

  #open(): void {
    try {
      // At once, not when the stream gets to it: by then the name may stand for the next file.
      const fd = openSync(this.path, 'a', 0o600);
      // One that was there before may be open to others.
      fchmodSync(fd, 0o600);
      this.#size = statSync(this.path).size;
      const stream = createWriteStream(this.path, { fd });
      stream.on('error', () => this.#failed(stream));
      this.#stream = stream;
    } catch {
      this.#failed(undefined);
    }
  }

  #failed(stream: WriteStream | undefined): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    this.#lost += 1;
    this.#retryAt = Math.max(this.#retryAt, Date.now() + PAUSE_MS);
  }

  #rotate(): void {
    const { keep } = this.#limits;
    this.#stream?.end();
    this.#stream = undefined;
    try {
      if (keep === 0) rmSync(this.path, { force: true });
      for (let number = keep; number >= 1; number -= 1) {
        const from = number === 1 ? this.path : this.#numbered(number - 1);
        if (existsSync(from)) renameSync(from, this.#numbered(number));
      }
    } catch {
      // Then the file grows on, and the next line tries again.
    }
    this.#open();
  }

  /** What an earlier configuration kept more of. */
  #removeBeyond(): void {
    const folder = path.dirname(this.path);
    const prefix = `${path.basename(this.path)}.`;
    try {
      for (const name of readdirSync(folder)) {
        const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
        if (/^\d+$/.test(number) && Number(number) > this.#limits.keep) {
          rmSync(path.join(folder, name), { force: true });
        }
      }
    } catch {
      // Old files stay; nothing depends on it.
    }
  }

  #numbered(number: number): string {
    return `${this.path}.${number}`;
  }
}
