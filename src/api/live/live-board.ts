import { z } from 'zod';
import {
  agentStates,
  callerStates,
  liveStatuses,
  type LiveBody,
  type LiveBodyOf,
} from '../../call/live/live-event.ts';

const text = z.string().nullable();

/** A call that goes on now, as far as is known. */
export const liveCallSchema = z.object({
  call: z.string().describe('opaque id'),
  call_id: text,
  direction: z.enum(['inbound', 'outbound']),
  status: z.enum(liveStatuses),
  trunk: text,
  from: text,
  to: text,
  personality: text,
  started_at: z.iso.datetime().describe('dialled, or arrived'),
  answered_at: z.iso.datetime().nullable(),
  agent: z.enum(agentStates).nullable(),
  caller: z.enum(callerStates).nullable(),
});
export type LiveCallView = z.infer<typeof liveCallSchema>;

export type TrunkView = Omit<LiveBodyOf<'trunk'>, 'type' | 'at'>;
export type FleetView = Omit<LiveBodyOf<'fleet'>, 'type' | 'at'>;

/** A call of which nothing is told any more, and which nobody holds, is given up after so many looks. */
const MISSES = 3;

/** How everything is now, by what was told: what a client is shown first. */
export class LiveBoard {
  readonly #calls = new Map<string, LiveCallView>();
  readonly #misses = new Map<string, number>();
  readonly #trunks = new Map<string, TrunkView>();
  #fleet: FleetView | undefined;

  get calls(): readonly LiveCallView[] {
    return [...this.#calls.values()];
  }
  get trunks(): ReadonlyMap<string, TrunkView> {
    return this.#trunks;
  }
  get fleet(): FleetView | undefined {
    return this.#fleet;
  }

  apply(body: LiveBody): void {
    switch (body.type) {
      case 'call_started':
        this.put({
          call: body.call,
          call_id: body.call_id,
          direction: body.direction,
          status: body.status,
          trunk: body.trunk,
          from: body.from,
          to: body.to,
          personality: body.personality,
          started_at: body.at,
          answered_at: null,
          agent: null,
          caller: null,
        });
        break;
      case 'state':
        this.#change(body);
        break;
      case 'call_ended':
        this.#forget(body.call);
        break;
      case 'trunk': {
        const { trunk, state, since, reason } = body;
        if (state === 'removed') this.#trunks.delete(trunk);
        else this.#trunks.set(trunk, { trunk, state, since, reason });
        break;
      }
      case 'fleet': {
        const { workers, dispatchers } = body;
        this.#fleet = { workers, dispatchers };
        break;
      }
      case 'conversation_turn':
        break;
    }
  }

  /** Enters a call that began before what is kept. */
  put(call: LiveCallView): void {
    this.#calls.set(call.call, call);
    this.#misses.delete(call.call);
  }

  knows(call: string): boolean {
    return this.#calls.has(call);
  }

  /** Drops calls that are over and whose end nobody told, as where Redis lost it. */
  keep(live: ReadonlySet<string>): void {
    for (const call of this.#calls.keys()) {
      const misses = live.has(call) ? 0 : (this.#misses.get(call) ?? 0) + 1;
      if (misses >= MISSES) this.#forget(call);
      else this.#misses.set(call, misses);
    }
  }

  #change(body: LiveBodyOf<'state'>): void {
    const known = this.#calls.get(body.call);
    if (!known) return;
    const answered = body.status === 'in_progress' && known.answered_at === null;
    this.#calls.set(body.call, {
      ...known,
      status: body.status ?? known.status,
      trunk: body.trunk ?? known.trunk,
      from: body.from ?? known.from,
      to: body.to ?? known.to,
      personality: body.personality ?? known.personality,
      answered_at: answered ? body.at : known.answered_at,
      agent: body.agent ?? known.agent,
      caller: body.caller ?? known.caller,
    });
  }

  #forget(call: string): void {
    this.#calls.delete(call);
    this.#misses.delete(call);
  }
}
