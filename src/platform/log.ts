import { DrizzleQueryError } from 'drizzle-orm';
import pino from 'pino';
import { withoutValues } from './database-failure.ts';
import { maskNumbers } from './mask.ts';

export type Log = pino.Logger;

/**
 * The process's logger: JSON lines on standard output, ISO times, numbers masked in whatever is written.
 * Messages are static text; what varies goes into fields. Transcripts, prompts and keys are never logged.
 *
 * @param always fields that every line gets, as they are when it is written
 */
export function createLog(
  name: string,
  level: string,
  options: { always?: () => Record<string, unknown>; destination?: pino.DestinationStream } = {},
): Log {
  const { always, destination } = options;
  const settings: pino.LoggerOptions = {
    name,
    // What is not a level is the configuration's to report, in its own words and with the other problems.
    level: isLevel(level) ? level : 'info',
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
    hooks: { streamWrite: maskNumbers },
    ...(always ? { mixin: always } : {}),
  };
  return destination ? pino(settings, destination) : pino(settings);
}

/** Whether there is such a level; `silent` is one, and writes nothing. */
function isLevel(level: string): boolean {
  return level === 'silent' || level in pino.levels.values;
}

const MOST_CAUSES = 4;
/** Long messages quote somebody's answer or data. */
const LONGEST_MESSAGE = 500;

type Described = {
  type: string;
  message: string;
  code?: string | number;
  status?: number;
  at?: string[];
  cause?: Described;
};

/**
 * An error as it may be written down: kind, code, message, where, and the same of its causes. Nothing else that
 * it carries: clients add what they sent, such as a command of Redis with the event in it, or a query with its
 * parameters.
 */
function describeError(thrown: unknown, depth = 0): Described | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const error = thrown instanceof DrizzleQueryError ? withoutValues(thrown) : thrown;
  const { cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const status = 'status' in error ? error.status : undefined;
  const described: Described = {
    type: thrown.name,
    message: error.message.slice(0, LONGEST_MESSAGE),
  };
  if (typeof code === 'string' || typeof code === 'number') described.code = code;
  if (typeof status === 'number') described.status = status;
  if (depth === 0) described.at = frames(error);
  const inner = depth < MOST_CAUSES ? describeError(cause, depth + 1) : undefined;
  if (inner) described.cause = inner;
  return described;
}

const FRAMES = 8;

/** The frames of the stack without its head, which is the message again. */
function frames(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim());
}
