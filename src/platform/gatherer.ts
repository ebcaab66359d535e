import { setImmediate as nextTurn } from 'node:timers/promises';

type Waiting<T, R> = { item: T; settle: PromiseWithResolvers<R> };

/**
 * Gathers what comes while a run is under way and hands it to the next run as one: under load many share one
 * trip to the database, and where none is under way nobody waits for company. A run begins after each of its
 * items has come, so what it finds out is true of all of them.
 */
export class Gatherer<T, R> {
  readonly #run: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>;
  readonly #most: number;
  readonly #waiting: Waiting<T, R>[] = [];
  #running = false;

  /**
   * @param run settles each item, in their order; where it rejects, all of them do
   * @param most items of one run
   */
  constructor(
    run: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>,
    most: number,
  ) {
    this.#run = run;
    this.#most = most;
  }

  async add(item: T): Promise<R> {
    const settle = Promise.withResolvers<R>();
    this.#waiting.push({ item, settle });
    if (!this.#running) void this.#runAll();
    return settle.promise;
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      // Requests that arrived together are still being read.
      await nextTurn();
      const group = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#run(group.map(({ item }) => item));
        for (const [index, { settle }] of group.entries()) {
          const result = results[index];
          if (result?.status === 'fulfilled') settle.resolve(result.value);
          else settle.reject(result?.reason ?? new Error('a run left an item without a result'));
        }
      } catch (thrown) {
        for (const { settle } of group) settle.reject(thrown);
      }
    }
    this.#running = false;
  }
}
