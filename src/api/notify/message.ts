import type { News } from './alarm-book.ts';

/** What goes out: a mail has a subject, a chat shows it as the first line. */
export type Message = { subject: string; text: string };

const MINUTE_MS = 60_000;

/** The news in sentences; undefined where there are none. Times are UTC. */
export function composeMessage(news: News, host: string): Message | undefined {
  const { begun, over, still } = news;
  if (begun.length + over.length + still.length === 0) return undefined;
  const lines = [
    ...begun.flatMap(({ what, remedy, since }) => [
      `PROBLEM since ${clock(since)}: ${what}`,
      `   What to do: ${remedy}`,
    ]),
    ...still.flatMap(({ what, remedy, since, until }) => [
      `STILL, for ${lasting(until - since)}: ${what}`,
      `   What to do: ${remedy}`,
    ]),
    ...over.map(
      ({ what, since, until }) =>
        `OVER at ${clock(until)}, after ${lasting(until - since)}: ${what}`,
    ),
    '',
    'More: docs/operating.md, "At 3 a.m."; `bin/trunkline ps`; GET /health.',
  ];
  return { subject: `Trunkline on ${host}: ${summary(news)}`, text: lines.join('\n') };
}

/** What a person sees who tries whether messages arrive. */
export function testMessage(host: string): Message {
  return {
    subject: `Trunkline on ${host}: this is a test`,
    text: 'Somebody tried whether messages arrive here. They do. Nothing is wrong.',
  };
}

function summary({ begun, over, still }: News): string {
  const parts = [
    begun.length === 1 ? '1 new problem' : begun.length > 1 && `${begun.length} new problems`,
    still.length === 1 ? '1 problem goes on' : still.length > 1 && `${still.length} problems go on`,
    over.length === 1 ? '1 problem is over' : over.length > 1 && `${over.length} problems are over`,
  ];
  return parts.filter((part) => part !== false).join(', ');
}

function clock(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** For people: `4 min`, `3 h 20 min`. */
export function lasting(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE_MS));
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}
