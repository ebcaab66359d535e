import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiProblem } from './problem.ts';

/** A hook that lets only requests with the key pass; it takes as long for every wrong one. */
export function authenticate(apiKey: string): (request: FastifyRequest) => Promise<void> {
  // Digests have one length, which the comparison needs, whatever was sent.
  const expected = digest(apiKey);
  return async (request) => {
    const given = request.headers['x-api-key'];
    if (typeof given === 'string' && timingSafeEqual(digest(given), expected)) return;
    throw new ApiProblem(
      'unauthorized',
      given === undefined
        ? 'Send the key in the header X-API-Key; it is API_KEY of the configuration.'
        : 'The key in X-API-Key is not the one of the configuration (API_KEY).',
    );
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
