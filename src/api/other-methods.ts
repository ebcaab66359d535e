import type { FastifyInstance } from 'fastify';
import { ApiProblem } from './problem.ts';

/**
 * Answers 405 with `Allow` to methods that an address does not know (RFC 9110, section 15.5.6); Fastify would answer
 * 404. Call it before the routes are there, and what it returns when all are.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  concerns: (url: string) => boolean,
): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (!concerns(url)) return;
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of known) {
      const others = app.supportedMethods.filter((method) => !methods.has(method));
      const allow = [...methods].toSorted().join(', ');
      app.route({
        url,
        method: others,
        schema: { hide: true },
        // Before a body is read, whatever its type.
        onRequest: async (_request, reply) => {
          reply.header('allow', allow);
          throw new ApiProblem('method-not-allowed', `This address knows ${allow}.`);
        },
        handler: () => undefined,
      });
    }
  };
}
