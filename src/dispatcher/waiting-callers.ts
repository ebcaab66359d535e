import type { EndDeps } from '../call/call-end.ts';
import { callEvent, type CallEvent, type CallEventOf } from '../call/call-event.ts';
import type { CallId } from '../call/call-id.ts';
import type { CallEnd } from '../call/outcome.ts';
import { allocateCallId } from '../call/room-call-id.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { INBOUND_ROOM_PREFIX } from '../trunk/livekit-objects.ts';
import { personalityForInbound } from '../trunk/routing.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { CallRooms } from './call-room.ts';
import type { DispatcherMetrics } from './dispatcher-metrics.ts';
import type { OutboundDeps } from './outbound-call.ts';

export type WaitingCallersDeps = EndDeps & {
  rooms: CallRooms;
  log: Log;
  metrics: Pick<DispatcherMetrics, 'noAgent'>;
  trunks: readonly Trunk[];
  caller: OutboundDeps['caller'];
  defaultPersonality: string;
};

/**
 * livekit-server drops a job that no worker takes within 10 s: an agent is asked for after that, once, and
 * the caller refused when the second job is dropped too.
 */
const ASK_AGAIN_MS = 12_000;
const REFUSE_MS = 24_000;

/** When livekit-server was restarted, livekit-sip joins its rooms again some 6 s after the loss. */
const HUNG_UP_MS = 12_000;

/** Somebody who calls, and whose call no worker has told of. Times in ms, on the monotonic clock. */
type Waiting = {
  received: CallEventOf<'call.received'>['data'];
  since: number;
  askedAgain: boolean;
  /** An agent is or was in the room: the room is not touched any more. */
  attended: boolean;
  missingSince: number | undefined;
  /** Once the call is over: its events that have not gone out yet. */
  untold: CallEvent[] | undefined;
  /** Given when the call is over: while it may still be answered it is the worker who gives one. */
  id: CallId | undefined;
};

/**
 * Looks after inbound calls for which no worker is free. Left alone such a call rings for 3 min and then ends
 * without a trace, since it is the worker that tells the ledger of an inbound call.
 *
 *     (seen) ──▶ waiting ──12 s──▶ agent asked for again ──24 s──▶ told as failed ──▶ room closed (486)
 *                   ├── an agent comes, the call is live ──▶ its worker's, for good
 *                   └── the caller is gone ──12 s──▶ told as canceled, unless a worker has the call
 *
 * The call's id decides between a worker and us: who allocates it tells the ledger.
 */
export class WaitingCallers {
  readonly #deps: WaitingCallersDeps;
  readonly #waiting = new Map<string, Waiting>();
  /** Rooms that are none of ours: a worker has the call, or it came over a trunk that is not ours. */
  readonly #left = new Set<string>();

  constructor(deps: WaitingCallersDeps) {
    this.#deps = deps;
  }

  /**
   * One look at all rooms.
   *
   * @param view.rooms names of all rooms
   * @param view.live rooms of live calls, read before `rooms`
   * @param view.now ms on the monotonic clock
   */
  async look(view: {
    rooms: ReadonlySet<string>;
    live: ReadonlySet<string>;
    now: number;
  }): Promise<void> {
    for (const room of this.#left) if (!view.rooms.has(room)) this.#left.delete(room);
    const inbound = [...view.rooms].filter((room) => room.startsWith(INBOUND_ROOM_PREFIX));
    for (const room of new Set([...inbound, ...this.#waiting.keys()])) {
      if (view.live.has(room)) this.#leave(room);
      if (this.#left.has(room)) continue;
      try {
        await this.#lookAt(room, view.now);
      } catch (thrown) {
        this.#deps.log.warn(
          { err: asError(thrown), call: this.#waiting.get(room)?.id },
          'could not look after a caller',
        );
      }
    }
  }

  /** For who has not been looking: what was seen before says nothing about now. */
  forget(): void {
    this.#waiting.clear();
    this.#left.clear();
  }

  async #lookAt(room: string, now: number): Promise<void> {
    const { agent, caller } = await this.#deps.rooms.inboundState(room);
    // Only an agent makes livekit-sip answer.
    const attended = agent || caller?.['sip.callStatus'] === 'active';
    const waiting = this.#waiting.get(room);
    if (!waiting) {
      if (attended) this.#leave(room);
      else if (caller) await this.#enter(room, caller, now);
      return;
    }
    waiting.attended ||= attended;
    if (!caller) return this.#missed(room, waiting, now);
    waiting.missingSince = undefined;
    if (!waiting.attended) await this.#keepWaiting(room, waiting, now);
  }

  async #enter(
    room: string,
    attributes: Readonly<Record<string, string>>,
    now: number,
  ): Promise<void> {
    const trunk = await this.#deps.rooms.trunkOfInbound(attributes['sip.trunkID'] ?? '');
    if (trunk === undefined) return this.#leave(room);
    const to = attributes['sip.trunkPhoneNumber'] ?? '';
    const received = {
      from: attributes['sip.phoneNumber'] ?? '',
      to,
      trunk,
      ...this.#personalityOf(trunk, to),
      sipCallId: attributes['sip.callIDFull'] ?? attributes['sip.callID'],
    };
    this.#waiting.set(room, {
      received,
      since: now,
      askedAgain: false,
      attended: false,
      missingSince: undefined,
      untold: undefined,
      id: undefined,
    });
  }

  /** Who would have answered, by the rule of the workers: where it does not exist, the default one. */
  #personalityOf(trunk: string, number: string): { personality: string; simulated: boolean } {
    const { trunks, caller, defaultPersonality } = this.#deps;
    const configured = personalityForInbound(trunks, { trunk, number });
    const personality =
      configured !== undefined && caller(configured) ? configured : defaultPersonality;
    return { personality, simulated: caller(personality)?.simulated ?? false };
  }

  async #keepWaiting(room: string, waiting: Waiting, now: number): Promise<void> {
    const { rooms, log, metrics } = this.#deps;
    const { trunk } = waiting.received;
    const waited = now - waiting.since;
    if (waited >= REFUSE_MS) {
      const first = waiting.untold === undefined;
      if (!(await this.#tell(room, waiting, now, noAgent))) return;
      if (first) {
        metrics.noAgent();
        log.error({ trunk, call: waiting.id }, 'no agent was free for a caller, who is refused');
      }
      await rooms.close(room);
    } else if (waited >= ASK_AGAIN_MS && !waiting.askedAgain) {
      waiting.askedAgain = true;
      log.warn({ trunk }, 'a caller waits without an agent, so one is asked for again');
      await rooms.askForAgent(room, { direction: 'inbound', trunk });
    }
  }

  async #missed(room: string, waiting: Waiting, now: number): Promise<void> {
    waiting.missingSince ??= now;
    const hungUp = now - waiting.missingSince >= HUNG_UP_MS;
    if (waiting.untold === undefined && !hungUp) return;
    await this.#tell(room, waiting, waiting.missingSince, callerLeft);
    this.#waiting.delete(room);
  }

  /**
   * Tells the ledger of a call that is over, once.
   *
   * @param overAt when it ended, in ms on the monotonic clock
   * @returns false where a worker has the call
   */
  async #tell(room: string, waiting: Waiting, overAt: number, end: CallEnd): Promise<boolean> {
    const { redis, events } = this.#deps;
    if (!waiting.untold) {
      const { id, isNew } = await allocateCallId(redis, room);
      if (!isNew) {
        this.#leave(room);
        return false;
      }
      waiting.id = id;
      waiting.untold = [
        { ...callEvent('call.received', id, waiting.received), at: wallClock(waiting.since) },
        { ...callEvent('call.ended', id, end), at: wallClock(overAt) },
      ];
    }
    for (let event = waiting.untold[0]; event; event = waiting.untold[0]) {
      await events.send(event);
      waiting.untold.shift();
    }
    return true;
  }

  #leave(room: string): void {
    this.#waiting.delete(room);
    this.#left.add(room);
  }
}

/** A moment of the monotonic clock, in ms since the epoch. */
function wallClock(monotonicMs: number): number {
  return Math.round(Date.now() - (performance.now() - monotonicMs));
}

const noAgent: CallEnd = {
  outcome: 'failed',
  reason: 'No agent was free to answer.',
  hungUpBy: 'system',
};

const callerLeft: CallEnd = {
  outcome: 'canceled',
  reason: 'The caller hung up before an agent was free.',
  hungUpBy: 'caller',
};
