import type { FastifyRequest } from 'fastify';
import { ApiProblem } from './problem.ts';

const MAX_DEPTH = 32;

/**
 * A hook that refuses bodies that JSON permits and Postgres cannot hold: U+0000, halves of surrogate pairs,
 * and nesting without end (https://www.postgresql.org/docs/current/datatype-json.html).
 */
export async function refuseUnstorable(request: FastifyRequest): Promise<void> {
  let level: unknown[] = [request.body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new ApiProblem('bad-request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    if (level.some((value) => typeof value === 'string' && !isStorable(value))) {
      throw new ApiProblem('bad-request', 'The body holds U+0000 or half of a surrogate pair.');
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.entries(value).flat() : [],
    );
  }
}

export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}
