import { SipHeaders, type SipRequest, type SipResponse } from './sip-message.ts';
import { parameterOf, peerOf, uriOf, type Peer } from './sip-address.ts';
import type { ServerTransaction } from './server-transaction.ts';

const USER_AGENT = 'trunkline-simulator';

/** A SIP dialog (RFC 3261, section 12): what every later request of a call has in common. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  /** From of our requests, with our tag. */
  readonly #local: string;
  /** To of our requests, with the far end's tag. */
  readonly #remote: string;
  readonly #contact: string;
  readonly #routes: readonly string[];
  /** Where the far end was last seen, for a target that may not be sent to. */
  readonly #fallback: Peer;
  readonly #permits: (peer: Peer) => boolean;
  #target: string;
  #sequence: number;

  constructor(options: {
    callId: string;
    localTag: string;
    local: string;
    remote: string;
    contact: string;
    routes: readonly string[];
    target: string;
    fallback: Peer;
    permits: (peer: Peer) => boolean;
    sequence: number;
  }) {
    this.callId = options.callId;
    this.localTag = options.localTag;
    this.#local = options.local;
    this.#remote = options.remote;
    this.#contact = options.contact;
    this.#routes = options.routes;
    this.#target = options.target;
    this.#fallback = options.fallback;
    this.#permits = options.permits;
    this.#sequence = options.sequence;
  }

  /** The dialog that a 2xx to our INVITE makes. */
  static ofAnswer(
    invite: SipRequest,
    answer: SipResponse,
    options: { sequence: number; peer: Peer; permits: (peer: Peer) => boolean },
  ): Dialog {
    const local = invite.headers.get('from') ?? '';
    const contact = answer.headers.list('contact')[0];
    return new Dialog({
      callId: invite.headers.get('call-id') ?? '',
      localTag: parameterOf(local, 'tag') ?? '',
      local,
      remote: answer.headers.get('to') ?? '',
      contact: invite.headers.get('contact') ?? '',
      routes: answer.headers.list('record-route').toReversed(),
      target: contact ? uriOf(contact) : invite.uri,
      fallback: options.peer,
      permits: options.permits,
      sequence: options.sequence,
    });
  }

  /** The dialog that our 2xx to an INVITE makes. */
  static ofInvite(
    transaction: ServerTransaction,
    options: { contact: string; permits: (peer: Peer) => boolean },
  ): Dialog {
    const { headers } = transaction.request;
    const contact = headers.list('contact')[0];
    return new Dialog({
      callId: headers.get('call-id') ?? '',
      localTag: transaction.tag,
      local: `${headers.get('to') ?? ''};tag=${transaction.tag}`,
      remote: headers.get('from') ?? '',
      contact: options.contact,
      routes: headers.list('record-route'),
      target: uriOf(contact ?? headers.get('from') ?? ''),
      fallback: transaction.source,
      permits: options.permits,
      sequence: 0,
    });
  }

  /** Where requests of this dialog go: its first route, or the far end's Contact. */
  get peer(): Peer {
    const peer = peerOf(this.#routes[0] === undefined ? this.#target : uriOf(this.#routes[0]));
    return peer && this.#permits(peer) ? peer : this.#fallback;
  }

  get contact(): string {
    return this.#contact;
  }

  /** The far end moved: a re-INVITE or UPDATE with another Contact. */
  refreshTarget(message: SipRequest | SipResponse): void {
    const [contact] = message.headers.list('contact');
    if (contact) this.#target = uriOf(contact);
  }

  /** A new request of this dialog, without its Via. */
  request(
    method: string,
    options: { headers?: readonly (readonly [string, string])[]; body?: string } = {},
  ): SipRequest {
    this.#sequence++;
    return this.#build(method, this.#sequence, options);
  }

  /** The ACK to a 2xx, which has the CSeq number of its INVITE. */
  ack(sequence: number): SipRequest {
    return this.#build('ACK', sequence, {});
  }

  #build(
    method: string,
    sequence: number,
    options: { headers?: readonly (readonly [string, string])[]; body?: string },
  ): SipRequest {
    const headers = new SipHeaders([
      ['via', ''],
      ['max-forwards', '70'],
      ['from', this.#local],
      ['to', this.#remote],
      ['call-id', this.callId],
      ['cseq', `${sequence} ${method}`],
      ['contact', this.#contact],
      ['user-agent', USER_AGENT],
      ...(options.headers ?? []),
    ]);
    for (const route of this.#routes) headers.add('route', route);
    return { method, uri: this.#target, headers, body: options.body ?? '' };
  }
}

/** The key under which a request finds its dialog: the Call-ID and this side's tag. */
export function dialogKey(callId: string, localTag: string): string {
  return `${callId} ${localTag}`;
}

/** The key of the dialog that a request of the far end names; undefined where it is in none. */
export function dialogKeyOf(request: SipRequest): string | undefined {
  const tag = parameterOf(request.headers.get('to') ?? '', 'tag');
  return tag === undefined ? undefined : dialogKey(request.headers.get('call-id') ?? '', tag);
}
