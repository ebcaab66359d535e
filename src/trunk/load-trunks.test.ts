import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../platform/config.ts';
import { loadTrunks } from './load-trunks.ts';
import type { Trunk } from './trunk.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const TWILIO = {
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_PHONE_NUMBER: '+12025550155',
};

function load(yaml: string | undefined, environment: Record<string, string> = {}): Trunk[] {
  const root = mkdtempSync(path.join(tmpdir(), 'trunks-'));
  folders.push(root);
  if (yaml !== undefined) writeFileSync(path.join(root, 'trunks.yaml'), yaml);
  const config = loadConfig({
    root,
    environment: {
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'x'.repeat(32),
      API_KEY: 'x'.repeat(16),
      ...environment,
    },
  });
  return loadTrunks(config);
}

function problemsOf(yaml: string, environment: Record<string, string> = {}): string {
  try {
    load(yaml, environment);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return '';
}

describe('loadTrunks without trunks.yaml', () => {
  it('is the simulator, then the loopback trunk', () => {
    const trunks = load(undefined, { SIP_ADDRESS: '127.0.0.1:6060' });
    expect(trunks.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'simulator 127.0.0.1:5070',
      'loopback 127.0.0.1:6060',
    ]);
    expect(trunks[0]?.numbers.map(({ personality }) => personality)).toEqual([
      'receptionist',
      'appointment_reminder',
      'german_assistant',
    ]);
    expect(trunks[0]?.allowedPrefixes).toEqual(['+']);
  });

  it('is one Twilio trunk where its three variables are set', () => {
    const [trunk, ...more] = load(undefined, TWILIO);
    expect(more).toEqual([]);
    expect(trunk).toMatchObject({
      name: 'twilio',
      provider: 'twilio',
      callsPerSecond: 1,
      allowedPrefixes: ['US'],
      numbers: [{ number: '+12025550155', personality: 'receptionist' }],
    });
    expect(trunk?.address).toMatch(/^trunkline-[0-9a-f]{16}\.pstn\.twilio\.com$/);
    expect(trunk?.allowedAddresses).toContain('54.172.60.0/30');
  });
});

describe('loadTrunks with trunks.yaml', () => {
  it('fills in defaults and credentials', () => {
    const yaml = `trunks:
  - name: office
    provider: generic
    address: sip.example.com:5080
    credentials: { username: TRUNK_OFFICE_USER, password: TRUNK_OFFICE_PASSWORD }
    numbers:
      - { number: "+4930123456", personality: german_assistant }
      - number: "+49 30 123457"
    allowed_addresses: [203.0.113.0/24]
    calls_per_second: 0.5
`;
    const [trunk] = load(yaml, { TRUNK_OFFICE_USER: 'u', TRUNK_OFFICE_PASSWORD: 'p' });
    expect(trunk).toMatchObject({
      address: 'sip.example.com:5080',
      transport: 'udp',
      credentials: { username: 'u', password: 'p' },
      numbers: [
        { number: '+4930123456', personality: 'german_assistant' },
        { number: '+4930123457', personality: 'receptionist' },
      ],
      allowedPrefixes: ['DE'],
      callsPerSecond: 0.5,
      concurrentCalls: 10,
    });
  });

  it('reports every problem at once with its line and column', () => {
    const yaml = `trunks:
  - name: Office
    provider: generic
    adress: sip.example.com
    credentials: { username: alice, password: TRUNK_PASSWORD }
    numbers: [{ number: 12025550123 }, { number: "030123" }]
    allowed_addresses: [carrier.example.com]
`;
    const text = problemsOf(yaml);
    expect(text).toMatch(/trunks\.yaml has 6 problem\(s\)/);
    expect(text).toMatch(/trunks\.yaml:2:11: trunks\.0\.name: must be lower-case/);
    expect(text).toMatch(/trunks\.yaml:4:5: trunks\.0\.adress: is not a known key/);
    expect(text).toMatch(
      /trunks\.yaml:5:30: .*username: must be the name of an environment variable/,
    );
    expect(text).toMatch(/trunks\.yaml:6:25: .*must be text: put it in quotes/);
    expect(text).toMatch(/trunks\.yaml:6:50: .*must begin with \+/);
    expect(text).toMatch(/trunks\.yaml:7:25: .*must be an IP address or a CIDR block/);
  });

  it('reports contradictions, credentials that are not set, and numbers of two trunks', () => {
    const yaml = `trunks:
  - name: office
    provider: generic
    credentials: { username: TRUNK_A, password: TRUNK_B }
    numbers: [{ number: "+12025550123" }]
  - name: office
    provider: twilio
    numbers: [{ number: "+1 202 555 0123" }]
`;
    const text = problemsOf(yaml);
    expect(text).toMatch(/address: is required for a generic trunk/);
    expect(text).toMatch(/allowed_addresses: is required/);
    expect(text).toMatch(/4:30: .*TRUNK_A is not set/);
    expect(text).toMatch(/4:49: .*TRUNK_B is not set/);
    expect(text).toMatch(/TWILIO_ACCOUNT_SID is not set/);
    expect(text).toMatch(/6:11: .*the name of another trunk too/);
    expect(text).toMatch(/8:25: .*belongs to the trunk office already/);
  });

  it('wants encrypted signalling for encrypted sound', () => {
    const yaml = `trunks:
  - name: t
    provider: telnyx
    media_encryption: require
    numbers: [{ number: "+12025550123" }]
`;
    expect(problemsOf(yaml)).toMatch(/4:23: .*require needs transport: tls/);
    expect(load(yaml.replace('media_encryption: require', 'transport: tls'))[0]).toMatchObject({
      mediaEncryption: 'require',
    });
  });
});

describe('trunks.example.yaml', () => {
  it('is valid as it stands', () => {
    const yaml = readFileSync(
      path.resolve(import.meta.dirname, '../../trunks.example.yaml'),
      'utf8',
    );
    const secrets = ['BERLIN_USERNAME', 'BERLIN_PASSWORD', 'OFFICE_USERNAME', 'OFFICE_PASSWORD'];
    const environment = Object.fromEntries(secrets.map((name) => [`TRUNK_${name}`, 'x']));
    const trunks = load(yaml, { ...environment, ...TWILIO });
    expect(trunks.map(({ name }) => name)).toEqual(['main', 'berlin', 'office', 'loopback']);
  });
});
