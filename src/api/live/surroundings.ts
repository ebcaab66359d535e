import { freshProcesses, type Beat } from '../../call/heartbeat.ts';
import type { LiveProcess } from '../../call/live/live-event.ts';
import type { LivePublisher } from '../../call/live/live-publisher.ts';
import { trimLive } from '../../call/live/live-stream.ts';
import { listLiveCalls } from '../../call/live-calls.ts';
import { asError } from '../../platform/errors.ts';
import { Lease } from '../../platform/lease.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { withinMs } from '../../platform/time-limit.ts';
import { readTrunkStates } from '../../trunk/trunk-state.ts';
import type { FleetView, LiveBoard, TrunkView } from './live-board.ts';

const LOOK_MS = 2000;
const LEASE_MS = 7000;
const LIMIT_MS = 1500;
const TRIM_EVERY_LOOKS = 30;

type Surroundings = { trunks: Map<string, TrunkView>; fleet: FleetView };

export type SurroundingsDeps = {
  redis: Redis;
  log: Log;
  board: LiveBoard;
  publisher: Pick<LivePublisher, 'send'>;
};

/**
 * Looks every 2 s how the trunks are, and which processes work on calls. One api at a time tells what is not as was
 * told before; all know what was told, so that any of them can go on.
 */
export class SurroundingsWatch {
  readonly #deps: SurroundingsDeps;
  readonly #lease: Lease;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #looks = 0;
  #held = false;

  constructor(deps: SurroundingsDeps) {
    this.#deps = deps;
    this.#lease = new Lease(deps.redis, 'trunkline:lease:live', LEASE_MS);
  }

  /** Puts on the board how everything is, and follows it from now on. */
  async start(): Promise<void> {
    const { board, redis } = this.#deps;
    const { trunks, fleet } = await readSurroundings(redis);
    const at = new Date().toISOString();
    for (const trunk of trunks.values()) board.apply({ type: 'trunk', at, ...trunk });
    board.apply({ type: 'fleet', at, ...fleet });
    this.#timer ??= setInterval(() => {
      // One look after the other, and none waits in a queue.
      this.#looking = this.#looking.then(() => this.#try());
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await withinMs(LIMIT_MS, this.#lease.release()).catch(() => undefined);
  }

  async #try(): Promise<void> {
    if (this.#deps.redis.status !== 'ready') return;
    try {
      await withinMs(LIMIT_MS, this.look());
    } catch (thrown) {
      this.#deps.log.debug({ err: asError(thrown) }, 'could not look at the surroundings');
    }
  }

  async look(): Promise<void> {
    const { redis, board } = this.#deps;
    const calls = await listLiveCalls(redis);
    board.keep(new Set(calls.map(({ id }) => id)));
    const held = await this.#lease.hold();
    // What changed while nobody held the lease was seen by some and told to none.
    const tellAll = held && !this.#held;
    this.#held = held;
    if (!held) return;
    this.#tell(await readSurroundings(redis), tellAll);
    if (this.#looks % TRIM_EVERY_LOOKS === 0) await trimLive(redis);
    this.#looks += 1;
  }

  #tell({ trunks, fleet }: Surroundings, all: boolean): void {
    const { board, publisher } = this.#deps;
    const at = new Date().toISOString();
    for (const [name, trunk] of trunks) {
      if (!all && board.trunks.get(name)?.state === trunk.state) continue;
      publisher.send({ type: 'trunk', at, ...trunk });
    }
    for (const name of board.trunks.keys()) {
      if (trunks.has(name)) continue;
      const reason = 'It is configured no more.';
      publisher.send({ type: 'trunk', at, trunk: name, state: 'removed', since: at, reason });
    }
    if (all || JSON.stringify(fleet) !== JSON.stringify(board.fleet)) {
      publisher.send({ type: 'fleet', at, ...fleet });
    }
  }
}

async function readSurroundings(redis: Redis): Promise<Surroundings> {
  const [states, workers, dispatchers] = await Promise.all([
    readTrunkStates(redis),
    freshProcesses(redis, 'workers'),
    freshProcesses(redis, 'dispatchers'),
  ]);
  const trunks = new Map<string, TrunkView>();
  for (const [trunk, { state, since, reason }] of states) {
    trunks.set(trunk, { trunk, state, since: new Date(since).toISOString(), reason });
  }
  return { trunks, fleet: { workers: processes(workers), dispatchers: processes(dispatchers) } };
}

function processes(beats: ReadonlyMap<string, Beat>): LiveProcess[] {
  return [...beats]
    .map(([id, { calls, capacity }]) => ({ id, calls, capacity: capacity ?? null }))
    .sort((one, other) => one.id.localeCompare(other.id));
}
