import { globSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The clock of a process of its own, which a test may step (libfaketime). Monotonic clocks go on as they do. */
export class SteppedClock {
  readonly #file: string;

  /** @param folder in which the clock is written down */
  constructor(folder: string) {
    this.#file = path.join(folder, 'faketime');
    this.step(0);
  }

  /** What a process needs to go by this clock. */
  get environment(): Record<string, string> {
    const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
    if (library === undefined) {
      throw new Error('These tests need libfaketime: apt-get install faketime.');
    }
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Puts the clock so far ahead of the right time, or behind it. */
  step(aheadSeconds: number): void {
    writeFileSync(this.#file, `${aheadSeconds >= 0 ? '+' : ''}${aheadSeconds}s\n`);
  }
}
