import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../platform/config.ts';
import { sipConfig } from './livekit-config.ts';
import { findSipReach } from './sip-reach.ts';
import { inventSecrets } from './stack-environment.ts';

const twilio = {
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_PHONE_NUMBER: '+12025550123',
};
const ports = { sip: 5060, rtp: 10_000, sipHealth: 1, sipMetrics: 2, redis: 3 };

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'reach-'));
});
afterAll(() => rmSync(root, { recursive: true }));

async function configure(environment: Record<string, string>): Promise<Record<string, unknown>> {
  const config = loadConfig({ root, environment, fallbacks: inventSecrets() });
  const all = { ...ports, livekit: 4, livekitTcp: 5, livekitUdp: 6, api: 7, dispatcher: 8 };
  const body = sipConfig(
    config,
    { ...all, worker: 9, trunkMonitor: 10, simulator: 11, simulatorSip: 12 },
    await findSipReach(config),
  );
  return JSON.parse(body) as Record<string, unknown>;
}

describe('livekit-sip of one machine', () => {
  it('is reached from this machine only while no carrier is configured', async () => {
    const config = await configure({ PUBLIC_IP: '203.0.113.7' });
    expect(config).toMatchObject({ listen_ip: '127.0.0.1', nat_1_to_1_ip: '127.0.0.1' });
  });

  it('listens for a carrier, and announces the address that the carrier can reach', async () => {
    const config = await configure({ ...twilio, PUBLIC_IP: '203.0.113.7' });
    expect(config).toMatchObject({ listen_ip: '0.0.0.0', nat_1_to_1_ip: '203.0.113.7' });
  });

  it('is configured by SIP_CONFIG_BODY alone where an operator gives it', async () => {
    expect(await configure({ SIP_CONFIG_BODY: '{"sip_port": 5099}' })).toEqual({ sip_port: 5099 });
  });

  it('never refuses a call for the load of its host', async () => {
    expect(await configure({})).toMatchObject({ max_cpu_utilization: 1 });
  });

  it('has ports for as many calls as are said', async () => {
    expect(await configure({ SIP_MAX_CALLS: '200' })).toMatchObject({ rtp_port: '10000-11999' });
  });
});
