import OpenAI from 'openai';
import type { KeptConnections } from '../kept-connections.ts';

/** A client of OpenAI, or of a server that speaks like it. */
export function clientOf(
  server: { apiKey: string; baseURL?: string | undefined },
  connections: KeptConnections | undefined,
): OpenAI {
  return new OpenAI({
    apiKey: server.apiKey,
    ...(server.baseURL === undefined ? {} : { baseURL: server.baseURL }),
    // The framework repeats what may be repeated.
    maxRetries: 0,
    ...(connections ? { fetch: connections.fetch } : {}),
  });
}
