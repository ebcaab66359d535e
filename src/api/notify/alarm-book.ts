import { z } from 'zod';
import type { Trouble } from './trouble.ts';

const alarmSchema = z.object({
  state: z.enum(['pending', 'told', 'clearing', 'quiet']),
  what: z.string(),
  remedy: z.string(),
  /** When the trouble began. */
  since: z.number(),
  /** Not seen since; where it is clearing. */
  clearSince: z.number().optional(),
  /** When somebody was last told or reminded. */
  toldAt: z.number().optional(),
  /** When it began or came back, lately: how often it comes and goes. */
  begins: z.array(z.number()),
});

export const alarmsSchema = z.record(z.string(), alarmSchema);

type Alarm = z.infer<typeof alarmSchema>;
/** What is known of each trouble, by its key. Times are ms since the epoch. */
export type Alarms = Readonly<Record<string, Alarm>>;

type Item = { what: string; remedy: string; since: number; until: number };

/** What somebody is to be told. */
export type News = {
  begun: Item[];
  over: Item[];
  /** Told before and still so. */
  still: Item[];
};

/** How long a trouble must be gone until it is called over: longer the more often it came back. */
const CLEAR_MS = { first: 3 * 60_000, most: 60 * 60_000 };
const FLAPS_REMEMBERED_MS = 6 * 3_600_000;
/** Enough for the longest wait. */
const FLAPS_COUNTED = 10;
const REMIND_EVERY_MS = 4 * 3_600_000;
/** After a longer gap between two looks nobody knows whether what was pending lasted. */
const GAP_MS = 120_000;

/**
 * The alarms after one more look.
 *
 *   quiet ──seen──▶ pending ──lasts──▶ told ──gone──▶ clearing ──stays gone──▶ quiet
 *     ▲──gone──────────┘                ▲──seen again────┘
 *
 * Somebody is told when an alarm goes to `told`, when it goes from `clearing` to `quiet`, and every few hours
 * between. What comes and goes is told once and called over late.
 *
 * @param look.unseen names of the watches that could not look: their alarms stay as they are
 * @param look.mayTell false: too soon after the last message; what is due waits
 */
export function advanceAlarms(
  alarms: Alarms,
  look: {
    troubles: readonly Trouble[];
    unseen: readonly string[];
    now: number;
    lookedAt: number;
    mayTell: boolean;
  },
): { alarms: Alarms; news: News } {
  const { now, mayTell } = look;
  const troubles = new Map(look.troubles.map((trouble) => [trouble.key as string, trouble]));
  const gap = now - look.lookedAt > GAP_MS;
  const news: News = { begun: [], over: [], still: [] };
  const after: Record<string, Alarm> = {};
  for (const key of new Set([...Object.keys(alarms), ...troubles.keys()])) {
    const before = alarms[key];
    if (before && look.unseen.includes(key.split(':')[0] ?? '')) {
      after[key] = before;
      continue;
    }
    const trouble = troubles.get(key);
    const alarm = trouble ? seen(before, trouble, now, gap, mayTell) : gone(before, now, mayTell);
    if (!alarm) continue;
    after[key] = alarm;
    const item = { what: alarm.what, remedy: alarm.remedy, since: alarm.since, until: now };
    if (before?.state !== 'told' && before?.state !== 'clearing' && alarm.state === 'told') {
      news.begun.push(item);
    }
    if (before?.state === 'clearing' && alarm.state === 'quiet') {
      news.over.push({ ...item, until: before.clearSince ?? now });
    }
  }
  remind(after, news, now, mayTell);
  return { alarms: after, news };
}

function seen(
  before: Alarm | undefined,
  { what, remedy, afterMs }: Trouble,
  now: number,
  gap: boolean,
  mayTell: boolean,
): Alarm {
  const begins = (before?.begins ?? []).filter((at) => now - at < FLAPS_REMEMBERED_MS);
  const { clearSince: _gone, ...known } = before ?? { state: 'quiet' as const, since: now };
  if (known.state === 'told' || known.state === 'clearing') {
    const back = known.state === 'clearing' ? [...begins, now].slice(-FLAPS_COUNTED) : begins;
    return { ...known, state: 'told', what, remedy, begins: back };
  }
  const since = known.state === 'pending' && !gap ? known.since : now;
  if (now - since < afterMs || !mayTell) return { state: 'pending', what, remedy, since, begins };
  return { state: 'told', what, remedy, since, toldAt: now, begins: [...begins, now] };
}

function gone(before: Alarm | undefined, now: number, mayTell: boolean): Alarm | undefined {
  if (!before) return undefined;
  const begins = before.begins.filter((at) => now - at < FLAPS_REMEMBERED_MS);
  switch (before.state) {
    case 'quiet':
    case 'pending':
      return begins.length === 0 ? undefined : { ...before, state: 'quiet', begins };
    case 'told':
      return { ...before, state: 'clearing', clearSince: now, begins };
    case 'clearing': {
      const clearMs = Math.min(CLEAR_MS.first * 2 ** Math.max(0, begins.length - 1), CLEAR_MS.most);
      if (now - (before.clearSince ?? now) < clearMs || !mayTell) return { ...before, begins };
      return { ...before, state: 'quiet', begins };
    }
  }
}

/** Where one alarm is due to be brought to mind again, all that are open are named with it. */
function remind(alarms: Record<string, Alarm>, news: News, now: number, mayTell: boolean): void {
  const open = Object.entries(alarms).filter(
    ([, { state, toldAt }]) => state === 'told' && toldAt !== now,
  );
  const due = open.some(([, { toldAt }]) => now - (toldAt ?? now) >= REMIND_EVERY_MS);
  if (!due || !mayTell) return;
  for (const [key, alarm] of open) {
    news.still.push({ what: alarm.what, remedy: alarm.remedy, since: alarm.since, until: now });
    alarms[key] = { ...alarm, toldAt: now };
  }
}
