import type { Behaviour } from './behaviours.ts';
import type { PhoneLeg } from './sip-call.ts';

/** Somebody who waits for a call. */
export type Expected = {
  behaviour: Behaviour | undefined;
  /** Hands the call over. */
  fulfil: (leg: PhoneLeg) => void;
  /** Tells that the call came and could not be taken. */
  reject: (reason: Error) => void;
};

type Waiting = Expected & { number: string };

/** Who waits for a call to which number; the first who came gets the first call. */
export class Expectations {
  readonly #waiting: Waiting[] = [];
  #closed = false;

  get size(): number {
    return this.#waiting.length;
  }

  async add(
    number: string,
    behaviour: Behaviour | undefined,
    signal: AbortSignal | undefined,
  ): Promise<PhoneLeg> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error('the phone is closed');
    const { promise, resolve, reject } = Promise.withResolvers<PhoneLeg>();
    const waiting: Waiting = { number, behaviour, fulfil: resolve, reject };
    const withdraw = () => {
      this.#remove(waiting);
      reject(signal?.reason as Error);
    };
    this.#waiting.push(waiting);
    signal?.addEventListener('abort', withdraw, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', withdraw);
    }
  }

  /** What the next call to this number is to meet. */
  behaviourOf(number: string): Behaviour | undefined {
    return this.#next(number)?.behaviour;
  }

  /** Who waits for a call to this number, and no longer does. */
  take(number: string): Expected | undefined {
    const waiting = this.#next(number);
    if (waiting) this.#remove(waiting);
    return waiting;
  }

  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new Error('the phone was closed while a call was expected'));
    }
  }

  #next(number: string): Waiting | undefined {
    return this.#waiting.find((candidate) => sameNumber(candidate.number, number));
  }

  #remove(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index !== -1) this.#waiting.splice(index, 1);
  }
}

/** Whether two numbers are the same: a carrier may leave out the plus. */
export function sameNumber(a: string, b: string): boolean {
  return digits(a) === digits(b);
}

function digits(number: string): string {
  return number.replace(/^\+/, '');
}
