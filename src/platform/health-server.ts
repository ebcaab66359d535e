import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { asError } from './errors.ts';
import type { Registry } from './metrics.ts';
import type { Releases } from './releases.ts';

/** What a process says of itself: 200 when healthy or degraded, 503 when not. */
export type Health = {
  status: 'healthy' | 'degraded' | 'unhealthy';
  [detail: string]: unknown;
};

/** Serves `GET /health` and `GET /metrics` of a process without an API. Returns the port. */
export async function serveHealth(options: {
  host: string;
  port: number;
  metrics: Registry;
  health: () => Promise<Health> | Health;
  releases: Releases;
}): Promise<number> {
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === '/metrics') {
        const text = await options.metrics.metrics();
        response.writeHead(200, { 'content-type': options.metrics.contentType });
        response.end(text);
      } else if (request.url === '/health') {
        const health = await options.health();
        response.writeHead(health.status === 'unhealthy' ? 503 : 200, {
          'content-type': 'application/json',
        });
        response.end(JSON.stringify(health));
      } else {
        response.writeHead(404).end();
      }
    };
    answer().catch((thrown: unknown) => {
      response.writeHead(500).end(asError(thrown).message);
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  options.releases.add('health server', () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
