import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../platform/config.ts';
import { permitN8n, writeEnvFile } from './env-file.ts';
import { n8nHint } from './n8n-hint.ts';

describe('an n8n beside us', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'trunkline-n8n-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const env = () => readFileSync(path.join(root, '.env'), 'utf8');

  it('is permitted in the .env that the start script writes, with a secret of its own', () => {
    expect(writeEnvFile(root)).toBe(true);
    expect(permitN8n(root)).toBe(true);
    const config = loadConfig({ root, environment: {} });
    expect(config.WEBHOOK_ALLOWED_NETWORKS).toEqual(['127.0.0.0/8', '::1/128', '172.16.0.0/12']);
    expect(config.WEBHOOK_SECRET).toMatch(/^whsec_/);
    expect(statSync(path.join(root, '.env')).mode & 0o077).toBe(0);
  });

  it('is permitted in an older .env, which stays as it is otherwise', () => {
    writeFileSync(path.join(root, '.env'), 'API_KEY=0123456789abcdef0');
    expect(permitN8n(root)).toBe(true);
    expect(env()).toMatch(/^API_KEY=0123456789abcdef0\nWEBHOOK_ALLOWED_NETWORKS=127\S+\n$/);
  });

  it('changes nothing where the operator has said which networks', () => {
    const own = 'WEBHOOK_ALLOWED_NETWORKS=10.0.0.0/8\n';
    writeFileSync(path.join(root, '.env'), own);
    expect(permitN8n(root)).toBe(false);
    expect(env()).toBe(own);
  });

  it('is hinted at where one answers and nothing is permitted', async () => {
    const server = createServer((_, response) => response.writeHead(404).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/healthz`;
    expect(await n8nHint({ WEBHOOK_ALLOWED_NETWORKS: [] }, url)).toContain('--n8n');
    expect(await n8nHint({ WEBHOOK_ALLOWED_NETWORKS: ['10.0.0.0/8'] }, url)).toBeUndefined();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    expect(await n8nHint({ WEBHOOK_ALLOWED_NETWORKS: [] }, url)).toBeUndefined();
  });
});
