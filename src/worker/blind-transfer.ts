import { SipCallError, type SipClient } from 'livekit-server-sdk';
import type { CommandAnswer } from '../call/call-command.ts';
import type { CallId } from '../call/call-id.ts';
import { TRANSFERRED } from '../call/operator-ends.ts';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { CallJournal } from './call-journal.ts';
import { within } from './within.ts';

export type BlindTransferOptions = {
  call: CallId;
  sip: Pick<SipClient, 'transferSipParticipant'>;
  room: string;
  /** Identity of the far end's participant. */
  phone: string;
  journal: Pick<CallJournal, 'write'>;
  /** Told when the far end is on its way to somebody else, and when it stays after all. */
  onPause: (paused: boolean) => void;
  /** Called where the far end was transferred and does not leave. */
  onEnd: (end: CallEnd) => void;
  log: Log;
};

/** How long the one to whom the call goes may let it ring. */
const RINGING_S = 30;

/** livekit-sip hangs up 1 s after a transfer that was reported as done. */
const LEAVE_MS = 5000;

/** A phone may leave before the answer to the REFER has come back to us over HTTP. */
const RESULT_MS = 2000;

/**
 * Hands the far end over by REFER (RFC 3515), as often as it takes:
 *
 *   idle ── run ──▶ referring ── far end reports 2xx ──▶ transferred ──▶ the phone leaves
 *     ▲                 └── far end refuses: the agent talks on
 *     └─────────────────┘
 */
export class BlindTransfer {
  readonly #options: BlindTransferOptions;
  #referring: Promise<CommandAnswer> | undefined;
  #transferred = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BlindTransferOptions) {
    this.#options = options;
  }

  /** @param to a tel: or sip: URI */
  async run(to: string): Promise<CommandAnswer> {
    if (this.#referring || this.#transferred) {
      return { state: 'refused', cause: 'busy', reason: 'The call is being transferred already.' };
    }
    this.#referring = this.#refer(to).finally(() => {
      this.#referring = undefined;
    });
    return this.#referring;
  }

  /** The end of a call whose phone has left, where that is because of a transfer. */
  async endOfLeaving(): Promise<CallEnd | undefined> {
    if (this.#referring) await within(this.#referring, RESULT_MS);
    return this.#transferred ? TRANSFERRED : undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #refer(to: string): Promise<CommandAnswer> {
    const { call, sip, room, phone, journal, onPause, onEnd, log } = this.#options;
    journal.write('call.transfer', { state: 'started', by: 'operator' });
    onPause(true);
    try {
      // The far end hears ringing rather than silence, and no agent, until the transfer is done or refused.
      await sip.transferSipParticipant(room, phone, to, {
        playDialtone: true,
        ringingTimeout: RINGING_S,
      });
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      // What the SDK's error says may hold the target.
      log.warn({ call, sipStatus: refusal.sipStatus }, 'a transfer failed');
      const { reason, sipStatus } = refusal;
      journal.write('call.transfer', { state: 'failed', by: 'operator', reason, sipStatus });
      onPause(false);
      return refusal;
    }
    this.#transferred = true;
    log.info({ call }, 'transferred');
    journal.write('call.transfer', { state: 'completed', by: 'operator' });
    if (!this.#closed) this.#timer = setTimeout(() => onEnd(TRANSFERRED), LEAVE_MS);
    return { state: 'done' };
  }
}

function refusalOf(thrown: unknown): Extract<CommandAnswer, { state: 'refused' }> {
  const status = thrown instanceof SipCallError ? thrown.sipStatusCode : undefined;
  const cause = 'far_end';
  if (status !== undefined && Number.isInteger(status)) {
    return { state: 'refused', cause, reason: sentenceOf(status), sipStatus: status };
  }
  const late = /timed? ?out|deadline|cancell?ed/i.test(asError(thrown).message);
  return {
    state: 'refused',
    cause,
    reason: late
      ? 'Nobody answered the transfer in time; the call goes on with the agent.'
      : 'The transfer failed; the call goes on with the agent.',
  };
}

function sentenceOf(status: number): string {
  const what = SENTENCES[status] ?? 'The transfer was refused';
  return `${what} (${status}); the call goes on with the agent.`;
}

const SENTENCES: Readonly<Record<number, string>> = {
  403: 'The trunk does not permit transfers',
  404: 'The number to transfer to does not exist',
  405: 'The trunk knows no transfers',
  408: 'Nobody answered the transfer in time',
  480: 'Nobody answered the transfer',
  486: 'The line to transfer to was busy',
  501: 'The trunk knows no transfers',
  600: 'The line to transfer to was busy',
  603: 'The one to transfer to declined the call',
};
