import { asError } from './errors.ts';

type Release = { name: string; run: () => unknown };

/**
 * What has been acquired and must be released. Releases run once, last in first out; one that fails does
 * not keep the others from running.
 */
export class Releases {
  readonly #stack: Release[] = [];

  add(name: string, run: () => unknown): void {
    this.#stack.push({ name, run });
  }

  get size(): number {
    return this.#stack.length;
  }

  /** @throws AggregateError of all that failed, after all have run. */
  async run(): Promise<void> {
    const failures: Error[] = [];
    for (let release = this.#stack.pop(); release; release = this.#stack.pop()) {
      try {
        await release.run();
      } catch (thrown) {
        failures.push(new Error(`could not release ${release.name}`, { cause: asError(thrown) }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some releases failed');
  }
}
