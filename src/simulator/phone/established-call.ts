import { dialogKey, type Dialog } from './dialog.ts';
import { parseSdp } from './sdp.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipCall } from './sip-call.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import { REASONS, cseqOf, type SipRequest } from './sip-message.ts';

export type Dialogs = Map<string, EstablishedCall>;

export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, REFER';
const SDP_TYPE = ['content-type', 'application/sdp'] as const;

/** A call from its 2xx on: what either side says in its dialog until BYE. */
export class EstablishedCall {
  readonly #call: SipCall;
  readonly #dialog: Dialog;
  readonly #endpoint: SipEndpoint;
  readonly #referStatus: number;
  /** Our latest answer to an INVITE of the far end, until its ACK. */
  #answering: ServerTransaction | undefined;
  #byeWanted = false;

  constructor(options: {
    call: SipCall;
    dialog: Dialog;
    endpoint: SipEndpoint;
    dialogs: Dialogs;
    /** Final status of a REFER. */
    referStatus?: number | undefined;
  }) {
    const { call, dialog, endpoint, dialogs, referStatus } = options;
    this.#call = call;
    this.#dialog = dialog;
    this.#endpoint = endpoint;
    this.#referStatus = referStatus ?? 200;
    const key = dialogKey(dialog.callId, dialog.localTag);
    dialogs.set(key, this);
    void call.ended.then(() => dialogs.delete(key));
    call.use({
      sayGoodbye: () => this.bye(),
      reinvite: async (sdp) => this.#reinvite(sdp),
    });
  }

  /** Answers an INVITE with 200 and sees to its ACK. */
  answerInvite(transaction: ServerTransaction, sdp: string): void {
    this.#answering = transaction;
    transaction.onAcknowledged = (ack) => {
      this.#answering = undefined;
      const late = ack.body === '' ? undefined : parseSdp(ack.body);
      if (late) this.#call.accept(late);
      if (this.#byeWanted) this.bye();
    };
    transaction.onUnacknowledged = () => {
      this.#answering = undefined;
      this.bye();
      this.#call.end({ by: 'remote', reason: 'the far end never confirmed the answer' });
    };
    const contact = ['contact', this.#dialog.contact] as const;
    transaction.respond(200, { headers: [contact, ['allow', ALLOW], SDP_TYPE], body: sdp });
  }

  receiveAck(ack: SipRequest): void {
    const waiting = this.#answering;
    if (waiting && cseqOf(waiting.request).number === cseqOf(ack).number) waiting.acknowledge(ack);
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    switch (request.method) {
      case 'BYE':
        transaction.respond(200);
        this.#call.end({
          by: this.#call.leaving ? 'local' : 'remote',
          reason: this.#call.leaving ? 'hung up' : 'the far end hung up',
        });
        break;
      case 'INVITE':
        this.#renegotiate(transaction);
        break;
      case 'UPDATE':
        if (request.body === '') transaction.respond(200, { headers: [['allow', ALLOW]] });
        else this.#renegotiate(transaction);
        break;
      case 'REFER':
        this.#refer(transaction);
        break;
      case 'OPTIONS':
      case 'INFO':
      case 'NOTIFY':
        transaction.respond(200, { headers: [['allow', ALLOW]] });
        break;
      default:
        transaction.respond(405, { headers: [['allow', ALLOW]] });
    }
  }

  /** Acknowledges the 2xx to an INVITE of ours. */
  acknowledge(sequence: number): void {
    this.#endpoint.acknowledge(this.#dialog.ack(sequence), this.#dialog.peer);
  }

  /** Another offer of the far end: hold, a new address, or the refresh of a session timer. */
  #renegotiate(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.#dialog.refreshTarget(request);
    const offer = request.body === '' ? undefined : parseSdp(request.body);
    const sdp = request.body === '' ? this.#call.offer() : offer && this.#call.answerTo(offer);
    if (sdp === undefined) transaction.respond(488);
    else if (request.method === 'INVITE') this.answerInvite(transaction, sdp);
    else transaction.respond(200, { headers: [SDP_TYPE], body: sdp });
  }

  /** Accepts a transfer and reports how it ended (RFC 3515); the transfer itself is only pretended. */
  #refer(transaction: ServerTransaction): void {
    this.#call.transfers.push(transaction.request.headers.get('refer-to') ?? '');
    transaction.respond(202, { headers: [['contact', this.#dialog.contact]] });
    const fragment = `SIP/2.0 ${this.#referStatus} ${REASONS[this.#referStatus] ?? 'Unknown'}\r\n`;
    const notify = this.#dialog.request('NOTIFY', {
      headers: [
        ['event', 'refer'],
        ['subscription-state', 'terminated;reason=noresource'],
        ['content-type', 'message/sipfrag;version=2.0'],
      ],
      body: fragment,
    });
    this.#endpoint.request(notify, this.#dialog.peer, { onResponse: () => {} });
  }

  /** Ends the call towards the far end, as soon as the protocol permits. */
  bye(): void {
    // No BYE before the ACK has come (RFC 3261, section 15).
    if (this.#answering && !this.#byeWanted) {
      this.#byeWanted = true;
      return;
    }
    const over = () => this.#call.end({ by: 'local', reason: 'hung up' });
    this.#endpoint.request(this.#dialog.request('BYE'), this.#dialog.peer, {
      onResponse: ({ status }) => {
        if (status >= 200) over();
      },
      onTimeout: over,
    });
  }

  async #reinvite(sdp: string): Promise<number> {
    const invite = this.#dialog.request('INVITE', { headers: [SDP_TYPE], body: sdp });
    const sequence = cseqOf(invite).number;
    return new Promise((resolve) => {
      void this.#call.ended.then(() => resolve(481));
      this.#endpoint.request(invite, this.#dialog.peer, {
        onResponse: (response) => {
          if (response.status < 200) return;
          if (response.status < 300) {
            this.acknowledge(sequence);
            const answer = parseSdp(response.body);
            if (answer) this.#call.accept(answer);
          }
          resolve(response.status);
        },
        onTimeout: () => resolve(408),
      });
    });
  }
}
