import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import {
  attend,
  reopenAttendance,
  vacate,
  type Attendance,
  type TakeOverCause,
} from '../../call/attendance.ts';
import type { EndDeps } from '../../call/call-end.ts';
import type { CallId } from '../../call/call-id.ts';
import type { JobMetadata } from '../../call/job-metadata.ts';
import type { LiveCall } from '../../call/live-calls.ts';
import type { CallEnd } from '../../call/outcome.ts';
import { tellUntold } from '../../call/untold-events.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { CallRooms } from '../call-room.ts';
import type { DispatcherMetrics } from '../dispatcher-metrics.ts';
import { apologyFor, type ApologyDeps } from './apologies.ts';
import { endLostCall, isDispatched } from './call-ending.ts';

export type LostAgentsDeps = EndDeps & {
  rooms: CallRooms;
  queue: Queue;
  log: Log;
  metrics: Pick<DispatcherMetrics, 'takeOver' | 'withoutAgent' | 'announced'>;
  apology: ApologyDeps;
  /** Says a sentence in a room; see `announcer.ts`. */
  announce: (room: string, identity: string, sound: Buffer) => Promise<void>;
  /** This dispatcher, in the fleet `dispatchers`. */
  dispatcher: string;
};

export type Vacant = Extract<Attendance, { state: 'vacant' }>;

/** Before the id of a dispatcher, where an attendance names the host: it says the apology itself. */
const ANNOUNCES = 'dispatcher ';

/** The dispatcher that attends a call, if it is one and no host of a worker. */
export function announcingDispatcher(host: string): string | undefined {
  return host.startsWith(ANNOUNCES) ? host.slice(ANNOUNCES.length) : undefined;
}

/** What is done for a call whose agent is lost. Who may do it is decided by the attendance in Redis. */
export class LostAgents {
  readonly #deps: LostAgentsDeps;

  constructor(deps: LostAgentsDeps) {
    this.#deps = deps;
  }

  /** Takes a call from its agent; false: somebody else did, or it is over. */
  async take(callId: CallId, agent: string, cause: TakeOverCause): Promise<boolean> {
    const won = await vacate(this.#deps.redis, callId, { agent, cause });
    if (won) this.#deps.log.error({ call: callId, cause }, 'a call has lost its agent');
    return won;
  }

  /**
   * Asks for an agent that goes on with a call.
   *
   * @param gone agents that have no business in the room: a worker sends nobody where somebody is
   * @returns false where there is no room (yet, or any more)
   */
  async ask(call: LiveCall, vacant: Vacant, gone: readonly string[]): Promise<boolean> {
    const { rooms, log } = this.#deps;
    if (!(await rooms.exists(call.room))) return false;
    await Promise.all(gone.map((identity) => rooms.remove(call.room, identity)));
    const takeOver = { callId: call.id, cause: vacant.cause, lostAt: vacant.at };
    const metadata: JobMetadata =
      call.direction === 'outbound'
        ? { direction: 'outbound', callId: call.id, trunk: call.trunk, takeOver }
        : { direction: 'inbound', trunk: call.trunk, takeOver };
    await rooms.askForAgent(call.room, metadata);
    log.warn({ call: call.id, cause: vacant.cause }, 'an agent is asked for, to go on with a call');
    return true;
  }

  /** Identities of the agents that are in a call's room. */
  async agentsIn(call: LiveCall): Promise<string[]> {
    return this.#deps.rooms.agents(call.room);
  }

  /** Counts a call that is seen to, once for each agent that it loses. */
  count(cause: TakeOverCause): void {
    this.#deps.metrics.takeOver(cause);
  }

  /**
   * Says that the call must end, and ends it.
   *
   * @param mayHaveLeft the far end was given the time to come back after a restart of livekit-server
   * @returns false where the call goes on: it still rings, LiveKit is away, or an agent has come after all
   */
  async giveUp(call: LiveCall, mayHaveLeft: boolean): Promise<boolean> {
    const { redis, queue, rooms, log, dispatcher, metrics } = this.#deps;
    // Its dispatcher cancels it.
    if (await isDispatched(queue, call)) return false;
    const { caller } = await rooms.inboundState(call.room);
    if (!caller && !mayHaveLeft) return false;
    const agent = `announcer-${randomUUID()}`;
    if (!(await attend(redis, call.id, { agent, host: `${ANNOUNCES}${dispatcher}` }))) return false;
    log.error({ call: call.id }, 'no agent was to be had, so the call is ended');
    await tellUntold(this.#deps, call.id);
    const said = caller && (await this.#apologise(call, agent, caller['sip.trunkPhoneNumber']));
    try {
      // Where LiveKit is away nobody can be told, and somebody may be on the line: that is seen to later.
      await rooms.exists(call.room);
      await endLostCall(this.#deps, call, caller ? (said ? apologised : unsaid) : leftAlone);
      metrics.withoutAgent();
      return true;
    } catch (thrown) {
      await reopenAttendance(redis, call.id);
      await vacate(redis, call.id, { agent, cause: 'worker_lost' });
      throw thrown;
    }
  }

  async #apologise(call: LiveCall, agent: string, number: string | undefined): Promise<boolean> {
    const { rooms, events, log, metrics, announce } = this.#deps;
    try {
      const { text, sound } = await apologyFor(this.#deps.apology, call, number ?? '');
      // One that was cut off, and comes back, must not talk over the sentence.
      const others = await rooms.agents(call.room);
      await Promise.all(others.map((identity) => rooms.remove(call.room, identity)));
      await announce(call.room, agent, sound);
      await events.publish('turn', call.id, { role: 'agent', text, interrupted: false });
      metrics.announced('said');
      return true;
    } catch (thrown) {
      log.error({ err: asError(thrown), call: call.id }, 'the apology could not be said');
      metrics.announced('failed');
      return false;
    }
  }
}

const apologised: CallEnd = {
  outcome: 'failed',
  reason: 'The agent was lost and no other was free: a recorded sentence said so.',
  hungUpBy: 'system',
};

const unsaid: CallEnd = {
  outcome: 'failed',
  reason: 'The agent was lost and no other was free, and not even that could be said.',
  hungUpBy: 'system',
};

const leftAlone: CallEnd = {
  outcome: 'failed',
  reason: 'The agent was lost, and the far end left before another came.',
  hungUpBy: 'system',
};
