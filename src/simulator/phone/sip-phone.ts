import { randomUUID } from 'node:crypto';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { LegEnd } from '../leg.ts';
import { behaviourOf, type Behaviour } from './behaviours.ts';
import { dialogKeyOf } from './dialog.ts';
import { digestChallenge, digestMatches, type Credentials } from './digest.ts';
import { ALLOW, type Dialogs } from './established-call.ts';
import { Expectations } from './expectations.ts';
import type { G711Name } from '../../platform/g711.ts';
import { IncomingCall } from './incoming-call.ts';
import { InviteLog, type Invite } from './invite-log.ts';
import { OutgoingCall } from './outgoing-call.ts';
import { RtpSession } from './rtp-session.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { parsePeer, parseUri } from './sip-address.ts';
import { SipCall, type PhoneLeg } from './sip-call.ts';
import { SipEndpoint } from './sip-endpoint.ts';
import type { SipRequest } from './sip-message.ts';
import { STANDARD_TIMING, type SipTiming } from './sip-timing.ts';
import { TimerSet } from './timer-set.ts';

export type SipPhoneOptions = {
  /** host:port of its SIP over UDP; port 0 lets the system choose. */
  address: string;
  log: Log;
  /** Whom it may send to; absent: the loopback interface only. */
  allowedHosts?: readonly string[];
  timing?: SipTiming;
  /** Codecs in the order of preference; absent: µ-law, then A-law. */
  codecs?: readonly G711Name[];
  /** After this long an answered call that nobody expected is hung up. */
  unclaimedMs?: number;
};

export type CallOptions = {
  to: string;
  from: string;
  /** host:port of the SIP service to call. */
  trunkHost: string;
  credentials?: Credentials;
};

const REALM = 'simulator';

/**
 * The telephone of the simulator: SIP over UDP, both caller and callee. What it does when called depends on
 * the number (`behaviours.ts`), or on what was registered for that number by `expect`.
 */
export class SipPhone {
  readonly #options: SipPhoneOptions;
  readonly #timers = new TimerSet();
  readonly #dialogs: Dialogs = new Map();
  readonly #calls = new Set<SipCall>();
  readonly #expectations = new Expectations();
  readonly #invites = new InviteLog();
  readonly #opening = new Set<Promise<RtpSession>>();
  #endpoint: SipEndpoint | undefined;
  #closed = false;

  private constructor(options: SipPhoneOptions) {
    this.#options = options;
  }

  /** @throws {OperatorError} where the port is taken. */
  static async open(options: SipPhoneOptions): Promise<SipPhone> {
    const phone = new SipPhone(options);
    phone.#endpoint = await SipEndpoint.open({
      ...parsePeer(options.address),
      allowedHosts: phone.#allowedHosts,
      timing: phone.#timing,
      timers: phone.#timers,
      handlers: {
        onRequest: (transaction) => phone.#receive(transaction),
        onAck: (ack) => phone.#dialogOf(ack)?.receiveAck(ack),
      },
    });
    return phone;
  }

  /** host:port under which others reach it. */
  get address(): string {
    return `${this.#line.host}:${this.#line.port}`;
  }

  /** What is held now; everything is 0 after `close`. */
  get open(): { calls: number; transactions: number; timers: number; expectations: number } {
    return {
      calls: this.#calls.size,
      transactions: this.#line.counts.transactions,
      timers: this.#timers.size,
      expectations: this.#expectations.size,
    };
  }

  /** Datagrams that were no SIP and were dropped. */
  get malformed(): number {
    return this.#line.counts.malformed;
  }

  /** Calls somebody. @throws {OperatorError} where the trunk is not a permitted host. */
  async call(order: CallOptions): Promise<PhoneLeg> {
    const trunk = parsePeer(order.trunkHost);
    this.#line.mustPermit(trunk);
    const call = await this.#newCall(randomUUID());
    const outgoing = new OutgoingCall({
      call,
      to: order.to,
      from: order.from,
      trunk,
      credentials: order.credentials,
      endpoint: this.#line,
      dialogs: this.#dialogs,
      timers: this.#timers,
      timing: this.#timing,
    });
    outgoing.place();
    return call;
  }

  /**
   * The next call to a number that nobody else waits for, which then does what is said here rather than
   * what its number says. The leg comes while it rings; whoever gets it ends it.
   *
   * @throws the signal's reason where it aborts first, Error where the phone closes.
   */
  async expect(
    number: { to: string },
    behaviour?: Behaviour,
    signal?: AbortSignal,
  ): Promise<PhoneLeg> {
    return this.#expectations.add(number.to, behaviour, signal);
  }

  /** The calls that reached the phone, oldest first; of one number where it is given. */
  invites(number?: { to: string }): Invite[] {
    return this.#invites.list(number?.to);
  }

  /** Ends every call and frees every port and timer. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#expectations.close();
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#calls].map(async (call) => call.hangUp()));
    this.#timers.close();
    await this.#line.close();
  }

  get #line(): SipEndpoint {
    if (!this.#endpoint) throw new Error('the phone is not open yet');
    return this.#endpoint;
  }

  get #timing(): SipTiming {
    return this.#options.timing ?? STANDARD_TIMING;
  }

  get #allowedHosts(): readonly string[] {
    return this.#options.allowedHosts ?? ['127.0.0.1'];
  }

  async #newCall(callId: string): Promise<SipCall> {
    const media = await this.#openMedia();
    const call = new SipCall({
      callId,
      host: this.#line.host,
      media,
      timers: this.#timers,
      codecs: this.#options.codecs ?? ['PCMU', 'PCMA'],
    });
    this.#calls.add(call);
    void call.ended.then((end) => this.#forget(call, end));
    return call;
  }

  #forget(call: SipCall, { by, status }: LegEnd): void {
    this.#calls.delete(call);
    this.#options.log.debug({ leg: call.id, by, status }, 'leg ended');
  }

  async #openMedia(): Promise<RtpSession> {
    const opening = RtpSession.open({
      host: this.#line.host,
      allowedHosts: this.#allowedHosts,
      timers: this.#timers,
    });
    this.#opening.add(opening);
    try {
      const media = await opening;
      if (!this.#closed) return media;
      await media.close();
    } finally {
      this.#opening.delete(opening);
    }
    throw new Error('the phone is closed');
  }

  #dialogOf(request: SipRequest) {
    const key = dialogKeyOf(request);
    return key === undefined ? undefined : this.#dialogs.get(key);
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (dialogKeyOf(request) !== undefined) {
      const established = this.#dialogOf(request);
      if (established) established.receive(transaction);
      else transaction.respond(481);
    } else if (request.method === 'INVITE') {
      this.#receiveInvite(transaction).catch((thrown: unknown) => {
        if (!this.#closed)
          this.#options.log.warn({ err: asError(thrown) }, 'could not take a call');
        transaction.respond(500);
      });
    } else if (request.method === 'OPTIONS') {
      transaction.respond(200, { headers: [['allow', ALLOW]] });
    } else {
      transaction.respond(405, { headers: [['allow', ALLOW]] });
    }
  }

  async #receiveInvite(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    const to = parseUri(request.uri)?.user ?? '';
    const callId = request.headers.get('call-id') ?? '';
    const known = this.#invites.behaviourOf(callId);
    const behaviour = known ?? this.#expectations.behaviourOf(to) ?? behaviourOf(to);
    this.#invites.add(callId, to, behaviour);
    if (!this.#authorised(transaction, behaviour)) {
      // A call that will be refused whatever it sends is one leg; another gets its leg once it is let in.
      if (behaviour.kind !== 'challenge' || known) return;
    } else if (behaviour.kind !== 'silent') {
      transaction.respond(100);
    }
    const expected = this.#expectations.take(to);
    let cancelled = false;
    transaction.onCancel = () => (cancelled = true);
    const call = await this.#newCall(callId).catch((thrown: unknown) => {
      expected?.reject(asError(thrown));
      throw thrown;
    });
    this.#invites.follow(call);
    const incoming = new IncomingCall({
      call,
      transaction,
      endpoint: this.#line,
      dialogs: this.#dialogs,
      timers: this.#timers,
      to,
    });
    if (cancelled) transaction.onCancel();
    else incoming.act(behaviour);
    expected?.fulfil(call);
    if (!expected) await this.#hangUpUnclaimed(call);
  }

  /** Asks for credentials where the behaviour wants them and the INVITE has none that fit. */
  #authorised(transaction: ServerTransaction, behaviour: Behaviour): boolean {
    const { headers, method } = transaction.request;
    if (behaviour.kind === 'challenge') {
      challenge(transaction, behaviour.status);
      return false;
    }
    if (behaviour.kind !== 'answer' || behaviour.credentials === undefined) return true;
    if (digestMatches(headers.get('proxy-authorization'), method, behaviour.credentials))
      return true;
    challenge(transaction, 407);
    return false;
  }

  async #hangUpUnclaimed(call: SipCall): Promise<void> {
    const over = call.ended.then(() => 'over' as const);
    const answered = await Promise.race([over, call.answered.catch(() => 'over' as const)]);
    if (answered === 'over') return;
    const stop = this.#timers.after(this.#options.unclaimedMs ?? 30_000, () => void call.hangUp());
    await over;
    stop();
  }
}

function challenge(transaction: ServerTransaction, status: 401 | 407): void {
  const name = status === 407 ? 'proxy-authenticate' : 'www-authenticate';
  transaction.respond(status, { headers: [[name, digestChallenge(REALM)]] });
}
