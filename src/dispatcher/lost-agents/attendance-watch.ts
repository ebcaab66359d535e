import { attendanceOf, forgetAttendance, listAttendance } from '../../call/attendance.ts';
import type { Attendance, TakeOverCause } from '../../call/attendance.ts';
import { BeatObserver } from '../../call/beat-observer.ts';
import type { CallId } from '../../call/call-id.ts';
import { fleetKey } from '../../call/heartbeat.ts';
import { getLiveCall } from '../../call/live-calls.ts';
import { asError } from '../../platform/errors.ts';
import type { Lease } from '../../platform/lease.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { announcingDispatcher, type LostAgents, type Vacant } from './lost-agents.ts';
import { Vacancy } from './vacancy.ts';

export type AttendanceWatchDeps = {
  redis: Redis;
  /** Short: who holds it acts on what everybody sees, and its loss must not add much to that of an agent. */
  lease: Lease;
  lost: LostAgents;
  log: Log;
};

const TICK_MS = 500;

type Attended = Extract<Attendance, { state: 'attended' }>;

/**
 * Finds the calls whose agent is lost, and sees to it that somebody goes on with them.
 *
 *     attended ── its host's beat stands still for 3.5 s ──▶ vacant ──▶ an agent is asked for, again and again
 *     vacant, left by a worker ── nobody came in 3.5 s ──────────────▶ the same
 *     vacant ── 7 s, or no worker at all ──▶ a recorded sentence, and the end
 *
 * Every dispatcher looks, so that each knows who lives when the lease comes to it; who holds it acts.
 */
export class AttendanceWatch {
  readonly #deps: AttendanceWatchDeps;
  readonly #hosts = new BeatObserver();
  readonly #dispatchers = new BeatObserver();
  readonly #vacancies = new Map<CallId, Vacancy>();
  /** Calls that something is being done for. */
  readonly #busy = new Map<CallId, Promise<void>>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: AttendanceWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    const tick = async () => {
      try {
        await this.look(performance.now());
      } catch (thrown) {
        this.#hosts.interrupted();
        this.#dispatchers.interrupted();
        this.#deps.log.warn({ err: asError(thrown) }, 'could not look who attends calls');
      }
      if (this.#stopping.signal.aborted) return;
      const timer = setTimeout(() => {
        this.#running = tick();
      }, TICK_MS);
      this.#stopping.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    this.#running = tick();
  }

  /** Looks no more. What is being done goes on: see `settled`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#deps.lease.release();
  }

  /** Resolves when everything is done that was begun. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /**
   * One look.
   * @param now ms on the monotonic clock
   */
  async look(now: number): Promise<void> {
    const { redis, lease } = this.#deps;
    const [hosts, dispatchers, attendance] = await Promise.all([
      redis.hgetall(fleetKey('hosts')),
      redis.hgetall(fleetKey('dispatchers')),
      listAttendance(redis),
    ]);
    const by = [...attendance.values()].flatMap((each) =>
      each.state === 'attended' ? [each.host] : [],
    );
    const announcing = by.flatMap((host) => announcingDispatcher(host) ?? []);
    const hosting = by.filter((host) => announcingDispatcher(host) === undefined);
    const hostLives = this.#hosts.look(hosts, hosting, now);
    const dispatcherLives = this.#dispatchers.look(dispatchers, announcing, now);
    if (!(await lease.hold())) {
      this.#vacancies.clear();
      return;
    }
    for (const id of this.#vacancies.keys()) if (!attendance.has(id)) this.#vacancies.delete(id);
    for (const [id, each] of attendance) {
      if (each.state === 'vacant') {
        this.#do(id, () => this.#fill(id, each, now));
        continue;
      }
      const dispatcher = announcingDispatcher(each.host);
      const lives = dispatcher ? dispatcherLives(dispatcher) : hostLives(each.host);
      if (lives) this.#vacancies.delete(id);
      else this.#do(id, () => this.#lost(id, each, 'worker_lost', now));
    }
  }

  /** Takes a call from an agent that its host believes to be there, and asks for another. */
  stuck(id: CallId, attended: Attended): void {
    this.#do(id, () => this.#lost(id, attended, 'host_stuck', performance.now()));
  }

  /** One thing at a time for each call. Not waited for: it may take long, and the others must be looked at. */
  #do(id: CallId, work: () => Promise<void>): void {
    if (this.#busy.has(id)) return;
    const done = work()
      .catch((thrown: unknown) => {
        this.#deps.log.warn({ err: asError(thrown), call: id }, 'could not see to a lost call');
      })
      .finally(() => this.#busy.delete(id));
    this.#busy.set(id, done);
  }

  async #lost(id: CallId, { agent }: Attended, cause: TakeOverCause, now: number): Promise<void> {
    const { redis, lost } = this.#deps;
    if (!(await lost.take(id, agent, cause))) return;
    const vacant = await attendanceOf(redis, id);
    if (vacant?.state !== 'vacant') return;
    this.#vacancies.set(id, new Vacancy(vacant, now, 'ours'));
    await this.#fill(id, vacant, now);
  }

  async #fill(id: CallId, vacant: Vacant, now: number): Promise<void> {
    const { redis, lost } = this.#deps;
    const call = await getLiveCall(redis, id);
    if (!call) {
      await forgetAttendance(redis, id);
      return;
    }
    const known = this.#vacancies.get(id);
    const vacancy = known?.isOf(vacant) ? known : new Vacancy(vacant, now, 'left to us');
    this.#vacancies.set(id, vacancy);
    if (!vacancy.isDue(now)) return;
    vacancy.postponed(now);
    if (vacancy.isHopeless(now, this.#hosts.nobodyMs)) {
      if (await lost.giveUp(call, vacancy.isOld(now))) return;
    }
    const gone = vacancy.gone(await lost.agentsIn(call), now);
    if (!(await lost.ask(call, vacant, gone))) return;
    if (vacancy.asked(now) === 'first') lost.count(vacant.cause);
  }
}
