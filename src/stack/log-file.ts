import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { maskNumbers } from '../platform/mask.ts';

const LIMIT_BYTES = 20 * 1024 * 1024;

/**
 * A process's log: lines with numbers masked (both LiveKit servers log them), one older file kept.
 * The last lines stay in memory to explain a process that does not start.
 */
export class LogFile {
  readonly path: string;
  readonly #tail: string[] = [];
  #stream: WriteStream;
  #size: number;

  constructor(path: string) {
    this.path = path;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  }

  /** Copies a stream line by line until it ends. */
  follow(source: Readable): void {
    createInterface({ input: source, crlfDelay: Infinity }).on('line', (line) => this.write(line));
  }

  write(line: string): void {
    const masked = maskNumbers(line);
    this.#tail.push(masked);
    if (this.#tail.length > 20) this.#tail.shift();
    if (this.#size > LIMIT_BYTES) this.#rotate();
    this.#size += Buffer.byteLength(masked) + 1;
    this.#stream.write(`${masked}\n`);
  }

  get lastLines(): string {
    return this.#tail.join('\n');
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((resolve) => stream.end(resolve));
  }

  #rotate(): void {
    this.#stream.end();
    renameSync(this.path, `${this.path}.1`);
    this.#stream = createWriteStream(this.path, { flags: 'a', mode: 0o600 });
    this.#size = 0;
  }
}
