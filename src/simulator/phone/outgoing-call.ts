import { randomBytes } from 'node:crypto';
import { Dialog } from './dialog.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { digestAnswer, type Credentials } from './digest.ts';
import { ALLOW, EstablishedCall, type Dialogs } from './established-call.ts';
import { parseSdp } from './sdp.ts';
import type { Peer } from './sip-address.ts';
import type { SipCall } from './sip-call.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import { SipHeaders, cseqOf, type SipRequest, type SipResponse } from './sip-message.ts';
import { transactionLifeMs, type SipTiming } from './sip-timing.ts';
import type { TimerSet } from './timer-set.ts';

/** A challenge is answered once, and once more where the nonce had become stale. */
const MOST_ATTEMPTS = 3;

export type OutgoingOptions = {
  call: SipCall;
  to: string;
  from: string;
  trunk: Peer;
  credentials: Credentials | undefined;
  endpoint: SipEndpoint;
  dialogs: Dialogs;
  timers: TimerSet;
  timing: SipTiming;
};

/**
 * A call that the phone makes, up to its answer (RFC 3261, section 13.2).
 *
 *   INVITE ──401/407──▶ INVITE with credentials
 *     ├──2xx──▶ ACK, established (BYE at once where this side has hung up meanwhile)
 *     ├──3xx–6xx, time-out──▶ ended
 *     └──hangUp──▶ CANCEL, but not before a first response has come (section 9.1)
 */
export class OutgoingCall {
  readonly #options: OutgoingOptions;
  readonly #invite: SipRequest;
  #transaction: ClientTransaction | undefined;
  #attempts = 1;
  #established: EstablishedCall | undefined;
  #cancelled = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    options.call.use({ sayGoodbye: () => this.#cancel(), reinvite: async () => 481 });
    this.#invite = inviteOf(options);
  }

  /** Sends the INVITE. @throws {OperatorError} where the trunk is not a permitted host. */
  place(): void {
    const { endpoint, trunk, call } = this.#options;
    this.#transaction = endpoint.request(this.#invite, trunk, {
      onResponse: (response) => this.#receive(response),
      onTimeout: () =>
        call.end({
          by: call.leaving ? 'local' : 'remote',
          status: 408,
          reason: 'nothing came back',
        }),
    });
  }

  #receive(response: SipResponse): void {
    const { call } = this.#options;
    const { status } = response;
    if (status < 200) {
      if (call.leaving) this.#cancel();
    } else if (status < 300) {
      this.#establish(response);
    } else if ((status === 401 || status === 407) && this.#authorise(response)) {
      this.place();
    } else if (call.leaving) {
      call.end({ by: 'local', status, reason: 'cancelled' });
    } else {
      call.end({ by: 'remote', status, reason: response.reason.toLowerCase() || 'refused' });
    }
  }

  #establish(response: SipResponse): void {
    const { call, endpoint, dialogs, trunk } = this.#options;
    const { number } = cseqOf(this.#invite);
    if (this.#established) {
      this.#established.acknowledge(number);
      return;
    }
    const dialog = Dialog.ofAnswer(this.#invite, response, {
      sequence: number,
      peer: trunk,
      permits: (peer) => endpoint.permits(peer),
    });
    this.#established = new EstablishedCall({ call, dialog, endpoint, dialogs });
    this.#established.acknowledge(number);
    const media = parseSdp(response.body);
    if (call.leaving) this.#established.bye();
    else if (media && call.accept(media)) call.answer();
    else void call.hangUp();
  }

  /** Adds credentials to the INVITE, where there are any and they have not been refused already. */
  #authorise(response: SipResponse): boolean {
    const { credentials, call } = this.#options;
    const proxy = response.status === 407;
    const challenge = response.headers.get(proxy ? 'proxy-authenticate' : 'www-authenticate');
    if (!credentials || !challenge || call.leaving || this.#attempts >= MOST_ATTEMPTS) return false;
    if (this.#attempts > 1 && !/stale\s*=\s*"?true/i.test(challenge)) return false;
    const answer = digestAnswer(challenge, this.#invite, credentials);
    if (answer === undefined) return false;
    this.#attempts++;
    this.#invite.headers.set(proxy ? 'proxy-authorization' : 'authorization', answer);
    this.#invite.headers.set('cseq', `${this.#attempts} INVITE`);
    return true;
  }

  #cancel(): void {
    if (this.#cancelled || !this.#transaction?.proceeding) return;
    this.#cancelled = true;
    const { endpoint, trunk, timers, timing } = this.#options;
    const { headers, uri } = this.#invite;
    const cancel: SipRequest = { method: 'CANCEL', uri, headers: new SipHeaders(), body: '' };
    cancel.headers.add('via', '');
    cancel.headers.add('max-forwards', '70');
    for (const name of ['from', 'to', 'call-id']) cancel.headers.add(name, headers.get(name) ?? '');
    cancel.headers.add('cseq', `${cseqOf(this.#invite).number} CANCEL`);
    endpoint.cancel(this.#invite, cancel, trunk);
    // A far end that knows no CANCEL may never send a final response.
    const transaction = this.#transaction;
    timers.after(transactionLifeMs(timing), () => transaction.end());
  }
}

function inviteOf(options: OutgoingOptions): SipRequest {
  const { call, to, from, trunk, endpoint } = options;
  const here = `${endpoint.host}:${endpoint.port}`;
  const headers = new SipHeaders([
    ['via', ''],
    ['max-forwards', '70'],
    ['from', `<sip:${from}@${here}>;tag=${randomBytes(6).toString('hex')}`],
    ['to', `<sip:${to}@${trunk.host}:${trunk.port}>`],
    ['call-id', call.callId],
    ['cseq', '1 INVITE'],
    ['contact', `<sip:${from}@${here}>`],
    ['allow', ALLOW],
    ['user-agent', 'trunkline-simulator'],
    ['content-type', 'application/sdp'],
  ]);
  const uri = `sip:${to}@${trunk.host}:${trunk.port}`;
  return { method: 'INVITE', uri, headers, body: call.offer() };
}
