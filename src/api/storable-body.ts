import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiProblem } from './problem.ts';

const MAX_DEPTH = 32;

/** A hook that refuses bodies that JSON permits and Postgres cannot hold. */
export async function refuseUnstorable(request: FastifyRequest): Promise<void> {
  const problem = storageProblem(request.body);
  if (problem !== undefined) throw new ApiProblem('bad-request', problem);
}

/**
 * What of a body Postgres cannot hold: U+0000, halves of surrogate pairs, and nesting without end
 * (https://www.postgresql.org/docs/current/datatype-json.html).
 *
 * @returns a sentence for people, or undefined where all is well
 */
export function storageProblem(body: unknown): string | undefined {
  if (isNestedDeeper(body, MAX_DEPTH)) {
    return `The body is nested deeper than ${MAX_DEPTH} levels.`;
  }
  return holdsUnstorable(body) ? 'The body holds U+0000 or half of a surrogate pair.' : undefined;
}

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time, ISO 8601, as a database can be asked for it: of the years 1970 to 9999. Nothing happened in others. */
export function storableTime(text: string): Date {
  return new Date(Math.min(Math.max(0, Date.parse(text)), LAST_MS));
}

export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Level by level: what is nested without end would overflow the stack. */
export function isNestedDeeper(body: unknown, most: number): boolean {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
  return false;
}

/** For what is not nested without end. */
function holdsUnstorable(value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsUnstorable);
  return Object.entries(value).some(([key, inner]) => !isStorable(key) || holdsUnstorable(inner));
}

/** A text of an address that may be looked for; its description says what of it can be said in JSON Schema. */
export function storableText(longest: number) {
  return z
    .string()
    .max(longest)
    .refine(isStorable, 'holds a character that cannot be stored')
    .meta({ pattern: '^[^\\u0000]*$' });
}
