import type { FastifyInstance } from 'fastify';
import { mountDeepgram } from './deepgram-server.ts';
import { mountOpenAi } from './openai-server.ts';
import type { VendorDeps } from './vendor-deps.ts';

export type { VendorDeps } from './vendor-deps.ts';

/** Mounts the stand-ins of all vendors on the simulator's HTTP server, before it listens. */
export async function mountVendors(app: FastifyInstance, deps: VendorDeps): Promise<void> {
  await mountOpenAi(app, deps);
  await mountDeepgram(app, deps);
}
