import { DrizzleQueryError } from 'drizzle-orm';
import { asError } from './errors.ts';

/**
 * Whether the database refused the data itself, so that trying again cannot help: SQLSTATE class 22 (data
 * exception), 23 (integrity constraint) or 54 (limit exceeded), see
 * https://www.postgresql.org/docs/current/errcodes-appendix.html. Everything else, an unknown failure too,
 * may pass.
 */
export function refusesData(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && /^(22|23|54)[0-9A-Z]{3}$/.test(String(error.code))) return true;
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
  const code = 'code' in cause ? ` (${String(cause.code)})` : '';
  return new Error(`${cause.message}${code}`);
}
