import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallId } from '../../call/call-id.ts';

type Scope = { job: string; call?: CallId };

/**
 * Which call of the process something is about, for the log: whatever runs because of a call knows it, however
 * deep in the framework. Where that chain breaks (`call-room.ts`) it has to be bound again.
 */
export class CallScope {
  readonly #storage = new AsyncLocalStorage<Scope>();

  run<T>(job: string, work: () => T): T {
    return this.#storage.run({ job }, work);
  }

  /** From now on the call of this scope has a name. */
  identify(call: CallId): void {
    const scope = this.#storage.getStore();
    if (scope) scope.call = call;
  }

  /** Fields for a line of the log. */
  readonly fields = (): Record<string, unknown> => {
    const scope = this.#storage.getStore();
    if (!scope) return {};
    return scope.call === undefined ? { job: scope.job } : { call: scope.call };
  };
}
