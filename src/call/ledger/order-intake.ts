import { losesConflict, refusesData } from '../../platform/database-failure.ts';
import { Gatherer } from '../../platform/gatherer.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { acceptBatch, type BatchAcceptance, type NewBatch } from './accept-batch.ts';
import {
  acceptOrders,
  KeyVanishedError,
  type Acceptance,
  type AlongsideAccept,
  type KeyedOrder,
} from './accept-order.ts';

/** Orders of one transaction: enough that its fixed cost is small, few enough that nobody waits long for it. */
const MOST = 100;

/** How often a transaction that lost against another is tried. */
const ATTEMPTS = 5;

/**
 * Writes orders down in groups: those that come while a transaction is under way share the next one. Where a
 * group is refused each of its orders is tried alone, so that one which cannot be written fails no other.
 */
export class OrderIntake {
  readonly #rows: WorkspaceRows;
  readonly #alongside: AlongsideAccept;
  readonly #orders: Gatherer<KeyedOrder, Acceptance>;

  constructor(rows: WorkspaceRows, alongside: AlongsideAccept) {
    this.#rows = rows;
    this.#alongside = alongside;
    this.#orders = new Gatherer((orders) => this.#acceptGroup(orders), MOST);
  }

  async accept(order: KeyedOrder): Promise<Acceptance> {
    return this.#orders.add(order);
  }

  /** All orders of the batch or none. */
  async acceptBatch(batch: NewBatch): Promise<BatchAcceptance> {
    return this.#persist((rows) => acceptBatch(rows, batch, this.#alongside));
  }

  async #acceptGroup(
    orders: readonly KeyedOrder[],
  ): Promise<readonly PromiseSettledResult<Acceptance>[]> {
    try {
      const accepted = await this.#rows.transaction(async (rows) =>
        acceptOrders(rows, orders, this.#alongside),
      );
      return accepted.map((value) => ({ status: 'fulfilled', value }));
    } catch (thrown) {
      // Of anything else it is not known that nothing was committed.
      if (!refusesData(thrown) && !isTransient(thrown)) throw thrown;
    }
    const results: PromiseSettledResult<Acceptance>[] = [];
    for (const order of orders) {
      const alone = this.#persist(async (rows) => acceptOrders(rows, [order], this.#alongside));
      results.push(...(await settled(alone)));
    }
    return results;
  }

  /** A transaction that is tried again where it lost against another one. */
  async #persist<R>(run: (rows: WorkspaceRows) => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#rows.transaction(run);
      } catch (thrown) {
        if (attempt === ATTEMPTS || !isTransient(thrown)) throw thrown;
      }
    }
  }
}

function isTransient(thrown: unknown): boolean {
  return thrown instanceof KeyVanishedError || losesConflict(thrown);
}

async function settled<R>(group: Promise<readonly R[]>): Promise<PromiseSettledResult<R>[]> {
  const [result] = await Promise.allSettled([group]);
  if (result.status === 'rejected') return [result];
  return result.value.map((value) => ({ status: 'fulfilled', value }));
}
