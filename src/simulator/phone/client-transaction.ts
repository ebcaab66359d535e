import { SipHeaders, cseqOf, type SipRequest, type SipResponse } from './sip-message.ts';
import { nextPause, transactionLifeMs, type SipTiming } from './sip-timing.ts';
import type { TimerSet } from './timer-set.ts';

export type ClientHandlers = {
  /** Every provisional response, the final one, and every repetition of a 2xx to INVITE. */
  onResponse: (response: SipResponse) => void;
  /** No final response came in time. */
  onTimeout?: () => void;
};

type Wiring = {
  send: (request: SipRequest) => void;
  timers: TimerSet;
  timing: SipTiming;
  done: () => void;
};

/**
 * A request that this side sent, until nothing of it can arrive any more (RFC 3261, section 17.1).
 *
 *   calling ──1xx──▶ proceeding ──final──▶ completed ──64·T1──▶ done
 *      └──────────────final──────────────────▲      (INVITE: ACKs repetitions of a refusal)
 *      └──64·T1 without an answer──▶ onTimeout, done
 */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly #handlers: ClientHandlers;
  readonly #wiring: Wiring;
  readonly #invite: boolean;
  #state: 'calling' | 'proceeding' | 'completed' | 'done' = 'calling';
  #stops: (() => void)[] = [];
  #final: SipResponse | undefined;

  constructor(request: SipRequest, handlers: ClientHandlers, wiring: Wiring) {
    this.request = request;
    this.#handlers = handlers;
    this.#wiring = wiring;
    this.#invite = request.method === 'INVITE';
    wiring.send(request);
    this.#repeatAfter(wiring.timing.t1Ms);
    this.#stops.push(
      wiring.timers.after(transactionLifeMs(wiring.timing), () => {
        this.end();
        handlers.onTimeout?.();
      }),
    );
  }

  get proceeding(): boolean {
    return this.#state === 'proceeding';
  }

  receive(response: SipResponse): void {
    if (this.#state === 'done') return;
    if (response.status < 200) this.#receiveProvisional(response);
    else if (this.#state === 'completed') this.#receiveRepetition(response);
    else this.#receiveFinal(response);
  }

  /** Forgets the transaction: no more retransmissions, and answers to it are strays. */
  end(): void {
    this.#state = 'done';
    this.#stop();
    this.#wiring.done();
  }

  #receiveProvisional(response: SipResponse): void {
    if (this.#state === 'completed') return;
    // An INVITE may ring for ever once something has answered; other requests keep their time limit.
    if (this.#invite) this.#stop();
    this.#state = 'proceeding';
    this.#handlers.onResponse(response);
  }

  #receiveFinal(response: SipResponse): void {
    this.#stop();
    this.#state = 'completed';
    this.#final = response;
    this.#stops.push(
      this.#wiring.timers.after(transactionLifeMs(this.#wiring.timing), () => this.end()),
    );
    this.#acknowledgeRefusal(response);
    this.#handlers.onResponse(response);
  }

  #receiveRepetition(response: SipResponse): void {
    if (!this.#invite || response.status < 300 !== (this.#final?.status ?? 0) < 300) return;
    if (response.status < 300) this.#handlers.onResponse(response);
    else this.#acknowledgeRefusal(response);
  }

  /** The ACK to a refusal is part of the transaction: same branch, To of the response (section 17.1.1.3). */
  #acknowledgeRefusal(response: SipResponse): void {
    if (!this.#invite || response.status < 300) return;
    const { headers, uri } = this.request;
    const ack: SipRequest = { method: 'ACK', uri, headers: new SipHeaders(), body: '' };
    ack.headers.add('via', headers.list('via')[0] ?? '');
    ack.headers.add('max-forwards', '70');
    ack.headers.add('from', headers.get('from') ?? '');
    ack.headers.add('to', response.headers.get('to') ?? '');
    ack.headers.add('call-id', headers.get('call-id') ?? '');
    ack.headers.add('cseq', `${cseqOf(this.request).number} ACK`);
    for (const route of headers.list('route')) ack.headers.add('route', route);
    this.#wiring.send(ack);
  }

  #repeatAfter(pauseMs: number): void {
    const { timers, timing, send } = this.#wiring;
    this.#stops.push(
      timers.after(pauseMs, () => {
        send(this.request);
        this.#repeatAfter(nextPause(pauseMs, this.#invite ? undefined : timing.t2Ms));
      }),
    );
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
