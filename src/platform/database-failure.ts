import { DrizzleQueryError } from 'drizzle-orm';
import { asError } from './errors.ts';

/**
 * Whether the database refused the data itself, so that trying again cannot help: SQLSTATE class 22 (data
 * exception), 23 (integrity constraint) or 54 (limit exceeded), see
 * https://www.postgresql.org/docs/current/errcodes-appendix.html. Everything else, an unknown failure too,
 * may pass.
 */
export function refusesData(thrown: unknown): boolean {
  return hasState(thrown, /^(22|23|54)[0-9A-Z]{3}$/);
}

/**
 * Whether the database has rolled a transaction back because another one was in its way, so that trying it again
 * helps: SQLSTATE class 40 (deadlock, serialization failure).
 */
export function losesConflict(thrown: unknown): boolean {
  return hasState(thrown, /^40[0-9A-Z]{3}$/);
}

function hasState(thrown: unknown, pattern: RegExp): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && pattern.test(String(error.code))) return true;
  }
  return false;
}

/**
 * An error as it may be logged. A failed query's message holds its parameters, and with them numbers and what
 * was said; the message of its cause does not.
 */
export function withoutValues(thrown: unknown): Error {
  const error = asError(thrown);
  if (!(error instanceof DrizzleQueryError)) return error;
  const cause = error.cause ?? new Error('query failed');
  if (!('code' in cause)) return new Error(cause.message);
  const code = String(cause.code);
  return Object.assign(new Error(`${cause.message} (${code})`), { code });
}

/** The second, for one, is all that is left of a transaction whose `rollback` met the broken connection. */
const AWAY_IN_WORDS =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|timeout (exceeded when|expired)|PGlite is closed)/;

/**
 * Whether the database is away: it cannot be reached, is starting or stopping, takes no writes any more (25006: a
 * primary that has become a standby), or broke the connection off (system errors, SQLSTATE class 08 and 57P; pg and
 * PGlite say the rest in words only).
 */
export function isAway(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && /^(E[A-Z]+|08\w{3}|57P\w{2}|53300|25006)$/.test(String(error.code)))
      return true;
    if (AWAY_IN_WORDS.test(error.message)) return true;
  }
  return false;
}
