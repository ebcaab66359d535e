import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { WINDOW_S } from '../access/key-rate-limit.ts';
import { KeysUnavailable, type Holder, type Refusal } from '../access/key-ring.ts';
import { permits, type Scope } from '../access/scope.ts';
import { ApiProblem } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key came with the request; null on routes that want none. */
    holder: Holder | null;
  }
  interface FastifyContextConfig {
    /** What the key of a request to this route must permit; absent: `manage`. */
    scope?: Scope;
    /** Whether a good answer goes on for as long as the client listens. */
    isEndless?: boolean;
  }
}

const RETRY_S = 5;

/** A hook that lets only requests pass whose key permits what the route needs, and is not used up. */
export function authenticate(
  access: Pick<Access, 'ring' | 'rateLimit' | 'guessLimit'>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const holder = await identify(access, request);
    await countRequest(access.rateLimit, holder, reply);
    const needed = request.routeOptions.config.scope ?? 'manage';
    if (!permits(holder.scopes, needed)) {
      throw new ApiProblem('forbidden', `This needs a key with the scope ${needed}.`);
    }
    request.holder = holder;
  };
}

/** Whose key came with the request. */
export function holderOf(request: FastifyRequest): Holder {
  if (!request.holder) throw new Error('a route without authentication asked who asks');
  return request.holder;
}

async function identify(
  { ring, guessLimit }: Pick<Access, 'ring' | 'guessLimit'>,
  request: FastifyRequest,
): Promise<Holder> {
  const key = keyOf(request);
  if (key === undefined) {
    throw new ApiProblem('unauthorized', 'Send a key in the header X-API-Key.');
  }
  const waitMs = await guessLimit.waitMs(request.ip, key);
  if (waitMs > 0) {
    throw new ApiProblem('too-many-requests', 'Too many keys from this address were not known.', {
      retryAfterS: Math.ceil(waitMs / 1000),
    });
  }
  const found = await ring.identify(key).catch((thrown: unknown) => {
    if (!(thrown instanceof KeysUnavailable)) throw thrown;
    throw new ApiProblem('unavailable', 'The database is away; send it again.', {
      retryAfterS: RETRY_S,
    });
  });
  if (typeof found !== 'string') {
    guessLimit.right(request.ip, key);
    return found;
  }
  // Who has a key that was good once does not guess.
  if (found === 'unknown') await guessLimit.wrong(request.ip);
  throw new ApiProblem('unauthorized', reasonOf(found));
}

/** `Authorization: Bearer` is for tools that know nothing else. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const own = headers['x-api-key'];
  if (typeof own === 'string') return own;
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

function reasonOf(refusal: Refusal): string {
  switch (refusal) {
    case 'unknown':
      return 'The key in X-API-Key is not known.';
    case 'expired':
      return 'The key has expired; ask for a new one.';
    case 'revoked':
      return 'The key was revoked; ask for a new one.';
  }
}

/** Headers as in draft-ietf-httpapi-ratelimit-headers-10. */
async function countRequest(
  rateLimit: Access['rateLimit'],
  { id, rateLimit: limit }: Holder,
  reply: FastifyReply,
): Promise<void> {
  if (limit === null) return;
  const allowance = await rateLimit.count(id, limit);
  if (!allowance) return;
  const resetS = Math.ceil(allowance.resetMs / 1000);
  reply.header('ratelimit-policy', `"key";q=${limit};w=${WINDOW_S}`);
  reply.header('ratelimit', `"key";r=${allowance.remaining};t=${resetS}`);
  if (allowance.permitted) return;
  throw new ApiProblem('too-many-requests', `The key may send ${limit} requests a minute.`, {
    retryAfterS: Math.max(1, resetS),
  });
}
