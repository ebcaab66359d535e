import { initializeLogger } from '@livekit/agents';
import type { Log } from '../platform/log.ts';

type Fields = Record<string, unknown>;

/** The framework keeps its one logger here (`@livekit/agents`, log_core). */
const FRAMEWORK_LOGGER = Symbol.for('@livekit/agents:logger');

/**
 * Fields of the framework that may be written down. All others are dropped: among them are transcripts,
 * prompts, numbers within identities and room names, and whole protocol messages.
 */
const ALLOWED =
  /^(job_?id|room_id|workerId|id|label|speech_id|agentName|state|reason|timeout|delay|duration\w*|retry\w+|attempt|load\w*|memoryUsageMB|growthMemoryMB|uptime|provider|model|signal)$/i;

const LONGEST_ERROR = 300;

/**
 * The framework's logger, speaking through ours: its static message and the fields that are known to hold
 * no personal data. What it calls info (several lines a call) is debug to us.
 */
export class FrameworkLog {
  readonly #log: Log;
  constructor(log: Log) {
    this.#log = log;
  }

  child(bindings: Fields): FrameworkLog {
    return new FrameworkLog(this.#log.child(allowedFields(bindings)));
  }

  trace(...args: unknown[]): void {
    this.#write('trace', args);
  }
  debug(...args: unknown[]): void {
    this.#write('trace', args);
  }
  info(...args: unknown[]): void {
    this.#write('debug', args);
  }
  warn(...args: unknown[]): void {
    this.#write('warn', args);
  }
  error(...args: unknown[]): void {
    this.#write('error', args);
  }
  fatal(...args: unknown[]): void {
    this.#write('error', args);
  }

  /** pino's signature: fields or an error first, then the message; further arguments are personal data. */
  #write(level: 'trace' | 'debug' | 'warn' | 'error', args: unknown[]): void {
    const [first, second] = args;
    const message = [first, second].find((argument) => typeof argument === 'string');
    this.#log[brokenOff(first) ? 'debug' : level](
      { framework: message, ...allowedFields(first) },
      'agents framework',
    );
  }
}

/**
 * Makes ours the framework's logger for good: it sets its own again when a job process is initialised and
 * when a job starts.
 */
export function replaceFrameworkLog(log: Log): void {
  // Its options, which it hands to its job processes, are set by this alone.
  initializeLogger({ pretty: false, level: log.level });
  const logger = new FrameworkLog(log);
  Object.defineProperty(globalThis, FRAMEWORK_LOGGER, {
    configurable: true,
    get: () => logger,
    set: () => {},
  });
}

function allowedFields(fields: unknown): Fields {
  if (fields instanceof Error) return { failure: describeFailure(fields) };
  if (typeof fields !== 'object' || fields === null) return {};
  const kept: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) kept['failure'] = describeFailure(value);
    else if (ALLOWED.test(name) && ['string', 'number', 'boolean'].includes(typeof value)) {
      kept[name] = value;
    }
  }
  return kept;
}

/** Whether the end of a call broke off what was under way: no fault of anybody's. */
function brokenOff(fields: unknown): boolean {
  const candidates =
    typeof fields === 'object' && fields !== null ? [fields, ...Object.values(fields)] : [];
  return candidates.some((value) => value instanceof Error && value.name === 'AbortError');
}

/** Kind, status and message of an error; nothing of its body, which may quote what was said. */
function describeFailure(error: Error): Fields {
  const status = 'statusCode' in error ? error.statusCode : undefined;
  return { name: error.name, status, message: error.message.slice(0, LONGEST_ERROR) };
}
