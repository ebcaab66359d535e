import type { Queue } from 'bullmq';
import { attendanceOf } from '../call/attendance.ts';
import type { EndDeps } from '../call/call-end.ts';
import { freeLeakedSeats, listLiveCalls, type LiveCall } from '../call/live-calls.ts';
import type { CallEnd } from '../call/outcome.ts';
import { tellUntold } from '../call/untold-events.ts';
import { asError } from '../platform/errors.ts';
import type { Lease } from '../platform/lease.ts';
import type { Log } from '../platform/log.ts';
import type { CallRooms } from './call-room.ts';
import type { AttendanceWatch } from './lost-agents/attendance-watch.ts';
import { endLostCall, isDispatched } from './lost-agents/call-ending.ts';
import type { LostAgents } from './lost-agents/lost-agents.ts';
import type { WaitingCallers } from './waiting-callers.ts';

export type WatchdogDeps = EndDeps & {
  rooms: CallRooms;
  queue: Queue;
  lease: Lease;
  log: Log;
  trunks: string[];
  callers: WaitingCallers;
  attendance: Pick<AttendanceWatch, 'stuck'>;
  lost: Pick<LostAgents, 'giveUp'>;
};

export type WatchdogTimes = {
  tickMs: number;
  roomGraceMs: number;
  agentGraceMs: number;
  unattendedGraceMs: number;
};

/**
 * A worker publishes its call's end itself, and knows better how it came; only after `roomGraceMs` is a
 * lost room the watchdog's. `agentGraceMs` is how long somebody on the line may be without an agent though its
 * host lives: agents join again within 6 s of a restart of livekit-server. `unattendedGraceMs` is the same where
 * nothing is known of an agent.
 */
const watchdogTimes: WatchdogTimes = {
  tickMs: 2000,
  roomGraceMs: 5000,
  agentGraceMs: 8000,
  unattendedGraceMs: 20_000,
};

/**
 * Compares the live calls with LiveKit's rooms. A call whose room is gone is ended; where somebody is on the line
 * and no agent is, another is asked for. Callers whom no agent answers are looked after, too. One watchdog works
 * at a time, by its lease. Agents whose process is lost are found faster, by `attendance-watch.ts`.
 *
 * Calls that still are a job of the queue are the dispatchers'; see `advanceCall`.
 */
export class Watchdog {
  readonly #deps: WatchdogDeps;
  readonly #times: WatchdogTimes;
  /** Since when a live call's room, or the agent in it, has been missed; on the monotonic clock, in ms. */
  readonly #roomMissed = new Map<string, number>();
  readonly #agentMissed = new Map<string, number>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: WatchdogDeps, times: WatchdogTimes = watchdogTimes) {
    this.#deps = deps;
    this.#times = times;
  }

  start(): void {
    const tick = async () => {
      try {
        if (await this.#deps.lease.hold()) await this.look();
        else this.#forget();
      } catch (thrown) {
        // LiveKit or Redis is away: what cannot be seen must not be taken for gone.
        this.#forget();
        this.#deps.log.warn({ err: asError(thrown) }, 'the watchdog could not look');
      }
      if (this.#stopping.signal.aborted) return;
      const timer = setTimeout(() => {
        this.#running = tick();
      }, this.#times.tickMs);
      this.#stopping.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    this.#running = tick();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#deps.lease.release();
  }

  /** One comparison. */
  async look(): Promise<void> {
    const { redis, rooms, log, callers } = this.#deps;
    // Before the rooms: a call that enters between the two must not look as if it had no room.
    const calls = await listLiveCalls(redis);
    const names = await rooms.names();
    const now = performance.now();
    for (const call of calls) {
      const roomThere = names.has(call.room);
      if (missedFor(this.#roomMissed, call.id, !roomThere, now, this.#times.roomGraceMs)) {
        if (!(await isDispatched(this.#deps.queue, call))) await this.#endWithoutRoom(call);
      } else if (roomThere) {
        const alone = await this.#alone(call);
        if (missedFor(this.#agentMissed, call.id, alone, now, this.#times.agentGraceMs)) {
          await this.#replaceAgent(call, now);
        }
      }
    }
    const live = new Set<string>(calls.map((call) => call.id));
    for (const missed of [this.#roomMissed, this.#agentMissed]) {
      for (const id of missed.keys()) if (!live.has(id)) missed.delete(id);
    }
    for (const trunk of new Set([...this.#deps.trunks, ...calls.map((call) => call.trunk)])) {
      const freed = await freeLeakedSeats(redis, trunk);
      if (freed > 0) log.warn({ trunk, freed }, 'freed seats of calls that are over');
    }
    await callers.look({ rooms: names, live: new Set(calls.map((call) => call.room)), now });
  }

  async #alone(call: LiveCall): Promise<boolean> {
    const { onTheLine, agent } = await this.#deps.rooms.state(call.room);
    return onTheLine && agent === 'absent';
  }

  /** The connection of the agent is broken, though its host lives; or its host has forgotten it. */
  async #replaceAgent(call: LiveCall, now: number): Promise<void> {
    const { redis, attendance, lost } = this.#deps;
    const attended = await attendanceOf(redis, call.id);
    if (attended?.state === 'attended') {
      attendance.stuck(call.id, attended);
      this.#agentMissed.delete(call.id);
    } else if (!attended) {
      const since = this.#agentMissed.get(call.id) ?? now;
      if (now - since < this.#times.unattendedGraceMs) return;
      if (await lost.giveUp(call, true)) this.#agentMissed.delete(call.id);
    }
  }

  async #endWithoutRoom(call: LiveCall): Promise<void> {
    this.#deps.log.error({ call: call.id, reason: roomLost.reason }, 'the watchdog ends a call');
    await tellUntold(this.#deps, call.id);
    await endLostCall(this.#deps, call, roomLost);
    this.#roomMissed.delete(call.id);
  }

  #forget(): void {
    this.#roomMissed.clear();
    this.#agentMissed.clear();
    this.#deps.callers.forget();
  }
}

/** Whether something is missing and has been since `graceMs` ago. */
function missedFor(
  missed: Map<string, number>,
  id: string,
  missing: boolean,
  now: number,
  graceMs: number,
): boolean {
  if (!missing) {
    missed.delete(id);
    return false;
  }
  const since = missed.get(id) ?? now;
  missed.set(id, since);
  return now - since >= graceMs;
}

const roomLost: CallEnd = {
  outcome: 'failed',
  reason: 'The call was lost: its room is gone and its agent did not say how it ended.',
  hungUpBy: 'system',
};
