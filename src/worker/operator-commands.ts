import type { LocalParticipant } from '@livekit/rtc-node';
import type { CallCommand, CommandAnswer } from '../call/call-command.ts';
import { ENDED_BY_OPERATOR, REFUSED_BY_OPERATOR } from '../call/operator-ends.ts';
import type { CallEnd } from '../call/outcome.ts';
import type { BlindTransfer } from './blind-transfer.ts';
import type { CallJournal } from './call-journal.ts';
import type { Direction } from './phone-end.ts';
import { pressKeys } from './press-keys.ts';

export type OperatorOptions = {
  direction: Direction;
  participant: Pick<LocalParticipant, 'publishDtmf'> | undefined;
  transfer: Pick<BlindTransfer, 'run' | 'close'>;
  journal: Pick<CallJournal, 'write'>;
  /** Ends the call, after these words where there are some. */
  onEnd: (end: CallEnd, say: string | undefined) => void;
};

/** Carries out what an operator asks of a call, from when its agent is ready to its end. */
export class OperatorCommands {
  readonly #options: OperatorOptions;
  readonly #closed = new AbortController();
  #answered = false;
  /** Keys that are being sent, one command after the other. */
  #keys: Promise<unknown> = Promise.resolve();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** The far end and the agent hear each other from now on. */
  begin(): void {
    this.#answered = true;
  }

  close(): void {
    this.#closed.abort();
    this.#options.transfer.close();
  }

  async carryOut(command: CallCommand): Promise<CommandAnswer> {
    switch (command.kind) {
      case 'hangup':
        return this.#hangUp(command.say);
      case 'dtmf':
        return this.#answered ? this.#press(command.digits) : NOT_ANSWERED;
      case 'transfer':
        return this.#answered ? this.#options.transfer.run(command.to) : NOT_ANSWERED;
    }
  }

  #hangUp(say: string | undefined): CommandAnswer {
    const { direction, onEnd } = this.#options;
    if (this.#answered) onEnd(ENDED_BY_OPERATOR, say);
    // What is dialled is the dispatcher's, who cancels the INVITE and knows the SIP status.
    else if (direction === 'outbound') return NOT_ANSWERED;
    else onEnd(REFUSED_BY_OPERATOR, undefined);
    return { state: 'done' };
  }

  async #press(digits: string): Promise<CommandAnswer> {
    const { participant, journal } = this.#options;
    const pressed = this.#keys.then(async () => {
      if (!participant) return 0;
      return pressKeys(participant, digits, this.#closed.signal);
    });
    this.#keys = pressed.catch(() => undefined);
    try {
      const count = await pressed;
      if (count > 0) journal.write('call.dtmf', { direction: 'sent', count });
    } catch (thrown) {
      // Who leaves the room in the middle cannot send.
      if (!this.#closed.signal.aborted) throw thrown;
    }
    return this.#closed.signal.aborted ? CALL_OVER : { state: 'done' };
  }
}

const NOT_ANSWERED: CommandAnswer = {
  state: 'refused',
  cause: 'not_answered',
  reason: 'Nobody has answered the call yet.',
};

const CALL_OVER: CommandAnswer = {
  state: 'refused',
  cause: 'call_over',
  reason: 'The call ended before all keys were sent.',
};
