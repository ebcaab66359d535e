import type { OpenAI } from 'openai';
import { Agent, fetch, type RequestInit } from 'undici';

/** Longer than an agent and a caller take for a turn each; Node closes a connection that is idle for 4 s. */
const IDLE_MS = 60_000;
const LONGEST_IDLE_MS = 600_000;

type ClientFetch = NonNullable<ConstructorParameters<typeof OpenAI>[0]>['fetch'];

/**
 * Connections to vendors that stay open between the turns of a call, and from call to call: a new one costs the way
 * there and back three times before the first word.
 */
export class KeptConnections {
  readonly #agent = new Agent({ keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: LONGEST_IDLE_MS });

  /** For clients that take a `fetch`. */
  readonly fetch = ((url: string, options?: RequestInit) =>
    fetch(url, { ...options, dispatcher: this.#agent })) as unknown as NonNullable<ClientFetch>;

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
