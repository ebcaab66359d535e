import { randomBytes } from 'node:crypto';
import { responseTo, type SipRequest, type SipResponse } from './sip-message.ts';
import type { Peer } from './sip-address.ts';
import { nextPause, transactionLifeMs, type SipTiming } from './sip-timing.ts';
import type { TimerSet } from './timer-set.ts';

export type ResponseContent = {
  headers?: readonly (readonly [string, string])[];
  body?: string;
};

type Wiring = {
  send: (response: SipResponse) => void;
  timers: TimerSet;
  timing: SipTiming;
  done: () => void;
};

/**
 * A request that arrived, until it can no longer be repeated (RFC 3261, section 17.2; RFC 6026).
 *
 *   trying ──1xx──▶ proceeding ──final──▶ completed ──ACK (INVITE)──▶ confirmed ──▶ done
 *
 * A repeated request gets the last response again. A final response to INVITE is repeated until its ACK
 * comes; where none does, `onUnacknowledged` tells.
 */
export class ServerTransaction {
  readonly request: SipRequest;
  /** Where the request came from. */
  readonly source: Peer;
  /** The tag that this side puts on To. */
  readonly tag: string = randomBytes(6).toString('hex');
  /** Set where not even a CANCEL of this INVITE is to be answered: the far end plays dead. */
  silent = false;
  onCancel: (() => void) | undefined;
  onAcknowledged: ((ack: SipRequest) => void) | undefined;
  onUnacknowledged: (() => void) | undefined;
  readonly #wiring: Wiring;
  readonly #stops: (() => void)[] = [];
  #last: SipResponse | undefined;
  #state: 'open' | 'completed' | 'confirmed' | 'done' = 'open';

  constructor(request: SipRequest, source: Peer, wiring: Wiring) {
    this.request = request;
    this.source = source;
    this.#wiring = wiring;
  }

  get answered(): boolean {
    return this.#state !== 'open';
  }

  /** Sends a response; ignored after a final one. */
  respond(status: number, content: ResponseContent = {}): void {
    if (this.#state !== 'open') return;
    const tag = status === 100 ? undefined : this.tag;
    this.#last = responseTo(this.request, status, { tag, ...content });
    this.#wiring.send(this.#last);
    if (status < 200) return;
    this.#state = 'completed';
    const { timers, timing } = this.#wiring;
    if (this.request.method === 'INVITE') this.#repeatAfter(timing.t1Ms);
    this.#stops.push(timers.after(transactionLifeMs(timing), () => this.#expire()));
  }

  /** The request came again. */
  repeat(): void {
    // Once the ACK is there, a repeated INVITE was only slow.
    if (this.#last && this.#state !== 'confirmed') this.#wiring.send(this.#last);
  }

  /** The ACK came. Calling it again does nothing. */
  acknowledge(ack: SipRequest): void {
    if (this.#state !== 'completed') return;
    this.#state = 'confirmed';
    this.#stop();
    const { timers, timing } = this.#wiring;
    this.#stops.push(timers.after(transactionLifeMs(timing), () => this.end()));
    this.onAcknowledged?.(ack);
  }

  /** Forgets the transaction; the same request would now count as a new one. */
  end(): void {
    this.#state = 'done';
    this.#stop();
    this.#wiring.done();
  }

  #expire(): void {
    const unacknowledged = this.request.method === 'INVITE' && this.#state === 'completed';
    this.end();
    if (unacknowledged) this.onUnacknowledged?.();
  }

  #repeatAfter(pauseMs: number): void {
    const { timers, timing, send } = this.#wiring;
    this.#stops.push(
      timers.after(pauseMs, () => {
        if (this.#last) send(this.#last);
        this.#repeatAfter(nextPause(pauseMs, timing.t2Ms));
      }),
    );
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
