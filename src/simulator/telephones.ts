import type { CalleeBehaviour } from './conversation/schema.ts';
import type { DialledLeg, Dialling, ExpectedCalls, Telephony } from './conversation/telephony.ts';
import type { Behaviour } from './phone/behaviours.ts';
import type { SipPhone } from './phone/sip-phone.ts';

/** Caller id of a conversation that names none; reserved for fiction like all our numbers. */
const CALLER_ID = '+12025550149';

/** The telephones of the simulator, as conversations use them: the SIP phone and the loopback trunk. */
export class Telephones implements Telephony {
  readonly #phone: SipPhone;
  readonly #trunkHost: string;
  readonly #dialLoopback: (to: string, signal: AbortSignal) => Promise<DialledLeg>;

  /** @param options.trunkHost livekit-sip, host:port */
  constructor(options: {
    phone: SipPhone;
    trunkHost: string;
    dialLoopback: (to: string, signal: AbortSignal) => Promise<DialledLeg>;
  }) {
    this.#phone = options.phone;
    this.#trunkHost = options.trunkHost;
    this.#dialLoopback = options.dialLoopback;
  }

  async dial({ to, from, via }: Dialling, signal: AbortSignal): Promise<DialledLeg> {
    const leg =
      via === 'loopback'
        ? await this.#dialLoopback(to, signal)
        : await this.#phone.call({ to, from: from ?? CALLER_ID, trunkHost: this.#trunkHost });
    return watched(leg);
  }

  expectCalls(number: string, behaviour: CalleeBehaviour | undefined): ExpectedCalls {
    const to = number.replaceAll(/[^\d+]/g, '');
    const released = new AbortController();
    const before = this.#phone.invites({ to }).length;
    const expected = this.#phone.expect({ to }, phoneBehaviour(behaviour), released.signal);
    const next = expected.then(watched);
    next.catch(() => undefined);
    return {
      next: () => next,
      invites: () => this.#phone.invites({ to }).length - before,
      release: () => {
        released.abort(new Error('the conversation is over'));
        // A call that came and was not taken; hanging up twice does no harm.
        next.then(
          (leg) => leg.hangUp(),
          () => undefined,
        );
      },
    };
  }
}

/** A leg that is refused before anybody looks at its answer is no unhandled rejection. */
function watched(leg: DialledLeg): DialledLeg {
  leg.answered.catch(() => undefined);
  return leg;
}

function phoneBehaviour(behaviour: CalleeBehaviour | undefined): Behaviour | undefined {
  if (!behaviour) return undefined;
  const { answers_after_ms, busy, status, rings, silent } = behaviour;
  if (answers_after_ms !== undefined) return { kind: 'answer', afterMs: answers_after_ms };
  if (busy) return { kind: 'refuse', status: 486 };
  if (status === 401 || status === 407) return { kind: 'challenge', status };
  if (status !== undefined) return { kind: 'refuse', status };
  if (rings) return { kind: 'ring' };
  return silent ? { kind: 'silent' } : undefined;
}
