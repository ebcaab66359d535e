/** One line that tells how long work goes: rewritten in a terminal, every few seconds in a file. */
export class Progress {
  readonly #label: string;
  readonly #began = Date.now();
  #saidAt = 0;

  constructor(label: string) {
    this.#label = label;
    this.#say(`${label} …`);
  }

  update(detail: string): void {
    const everyMs = process.stdout.isTTY ? 200 : 10_000;
    if (Date.now() - this.#saidAt < everyMs) return;
    this.#say(`${this.#label}: ${detail} (${this.#elapsed()})`);
  }

  done(): void {
    const clear = process.stdout.isTTY ? '\r\x1b[2K' : '';
    process.stdout.write(`${clear}  ✓ ${this.#label} (${this.#elapsed()})\n`);
  }

  #say(text: string): void {
    this.#saidAt = Date.now();
    const width = process.stdout.columns ?? 100;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K  … ${text.slice(0, width - 6)}`);
    else process.stdout.write(`  … ${text}\n`);
  }

  #elapsed(): string {
    return `${Math.round((Date.now() - this.#began) / 1000)} s`;
  }
}
