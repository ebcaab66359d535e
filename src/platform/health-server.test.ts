import { Gauge } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { serveHealth } from './health-server.ts';
import { createMetrics } from './metrics.ts';
import { Releases } from './releases.ts';

const releases = new Releases();
afterEach(() => releases.run());

it('answers 500, and lives on, where a figure cannot be had', async () => {
  const metrics = createMetrics('test');
  const gauge = new Gauge({
    name: 'broken',
    help: 'cannot be read',
    registers: [],
    collect: () => Promise.reject(new Error('its source is away')),
  });
  metrics.registerMetric(gauge);
  const port = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    metrics,
    health: () => ({ status: 'healthy' }),
    releases,
  });
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect(await get('/metrics')).toBe(500);
  expect(await get('/health')).toBe(200);
});
