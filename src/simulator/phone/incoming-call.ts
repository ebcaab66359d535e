import type { Behaviour } from './behaviours.ts';
import { Dialog } from './dialog.ts';
import { EstablishedCall, type Dialogs } from './established-call.ts';
import { parseSdp } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipCall } from './sip-call.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import type { TimerSet } from './timer-set.ts';

/** A caller that nobody answers goes away; this only frees what one that never does would hold. */
const LONGEST_RING_MS = 300_000;

/** A call that reaches the phone: acts out its behaviour up to the answer (RFC 3261, section 13.3). */
export class IncomingCall {
  readonly #call: SipCall;
  readonly #transaction: ServerTransaction;
  readonly #endpoint: SipEndpoint;
  readonly #dialogs: Dialogs;
  readonly #timers: TimerSet;
  readonly #contact: string;
  readonly #stops: (() => void)[] = [];

  constructor(options: {
    call: SipCall;
    transaction: ServerTransaction;
    endpoint: SipEndpoint;
    dialogs: Dialogs;
    timers: TimerSet;
    to: string;
  }) {
    const { call, transaction, endpoint, dialogs, timers, to } = options;
    this.#call = call;
    this.#transaction = transaction;
    this.#endpoint = endpoint;
    this.#dialogs = dialogs;
    this.#timers = timers;
    this.#contact = `<sip:${to}@${endpoint.host}:${endpoint.port}>`;
    call.use({ sayGoodbye: () => this.#refuse(603), reinvite: async () => 481 });
    transaction.onCancel = () => this.#giveUp();
    void call.ended.then(() => this.#stop());
  }

  act(behaviour: Behaviour): void {
    switch (behaviour.kind) {
      case 'silent':
        this.#transaction.silent = true;
        this.#later(LONGEST_RING_MS, () => this.#giveUp());
        break;
      case 'ring':
        this.#ring();
        this.#later(LONGEST_RING_MS, () => this.#refuse(480));
        break;
      case 'refuse':
        if (behaviour.afterMs === undefined) {
          this.#refuse(behaviour.status);
        } else {
          this.#ring();
          this.#later(behaviour.afterMs, () => this.#refuse(behaviour.status));
        }
        break;
      case 'challenge':
        this.#call.end({ by: 'local', status: behaviour.status, reason: 'credentials refused' });
        break;
      case 'answer':
        if (behaviour.rings ?? true) this.#ring();
        this.#later(behaviour.afterMs, () => this.#answer(behaviour));
        break;
    }
  }

  #ring(): void {
    this.#transaction.respond(180, { headers: [['contact', this.#contact]] });
  }

  #refuse(status: number): void {
    this.#transaction.respond(status);
    this.#call.end({ by: 'local', status, reason: 'refused' });
  }

  /** The caller cancelled, or is long gone. */
  #giveUp(): void {
    if (this.#transaction.silent) this.#transaction.end();
    else this.#transaction.respond(487);
    this.#call.end({ by: 'remote', status: 487, reason: 'the caller gave up' });
  }

  #answer(behaviour: Extract<Behaviour, { kind: 'answer' }>): void {
    if (this.#call.state !== 'early') return;
    const { body } = this.#transaction.request;
    const offer = body === '' ? undefined : parseSdp(body);
    const sdp = body === '' ? this.#call.offer() : offer && this.#call.answerTo(offer);
    if (sdp === undefined) {
      this.#refuse(488);
      return;
    }
    const dialog = Dialog.ofInvite(this.#transaction, {
      contact: this.#contact,
      permits: (peer) => this.#endpoint.permits(peer),
    });
    const established = new EstablishedCall({
      call: this.#call,
      dialog,
      endpoint: this.#endpoint,
      dialogs: this.#dialogs,
      referStatus: behaviour.referStatus,
    });
    established.answerInvite(this.#transaction, sdp);
    this.#call.answer();
    if (behaviour.hangUpAfterMs !== undefined) {
      this.#later(behaviour.hangUpAfterMs, () => void this.#call.hangUp());
    }
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #later(delayMs: number, action: () => void): void {
    this.#stops.push(this.#timers.after(delayMs, action));
  }
}
