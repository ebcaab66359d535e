import type { TrunkState } from '../trunk/trunk-state.ts';

/** What one look at a trunk saw. */
export type Observation = { state: 'up' | 'degraded' | 'down'; reason: string };

/** A trunk's state with what speaks for changing it. */
export type Watch = {
  current: TrunkState | undefined;
  pending: Observation | undefined;
  count: number;
};

/** Looks in a row that must agree before the state changes: a lost packet is no outage. */
const LOOKS_UNTIL: Readonly<Record<Observation['state'], number>> = { up: 2, degraded: 2, down: 3 };

/**
 * The watch after one more look. The first look counts at once.
 *
 *   up ⇄ degraded ⇄ down, each change only after as many agreeing looks as LOOKS_UNTIL says
 */
export function observe(watch: Watch, seen: Observation, at: number): Watch {
  const { current } = watch;
  if (!current) return { current: { ...seen, since: at }, pending: undefined, count: 0 };
  if (current.state === seen.state) {
    return { current: { ...current, reason: seen.reason }, pending: undefined, count: 0 };
  }
  const count = watch.pending?.state === seen.state ? watch.count + 1 : 1;
  if (count < LOOKS_UNTIL[seen.state]) return { current, pending: seen, count };
  return { current: { ...seen, since: at }, pending: undefined, count: 0 };
}
