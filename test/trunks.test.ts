import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RoomServiceClient, SipClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnsureReport } from '../src/trunk/ensure.ts';
import { managedTrunk } from '../src/trunk/managed.ts';
import type { Examination } from '../src/trunk/status/examine.ts';
import { TwilioStandIn } from '../src/trunk/twilio/twilio-stand-in.ts';
import { newSid } from '../src/trunk/twilio/twilio-stand-in-account.ts';
import { StackFixture } from './stack-fixture.ts';

let stack: StackFixture;
let sip: SipClient;
let rooms: RoomServiceClient;
const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-trunks-'));

beforeAll(async () => {
  stack = await StackFixture.start();
  const { livekitApiKey, livekitApiSecret, livekitUrl } = stack.info;
  const access = [livekitUrl.replace(/^ws/, 'http'), livekitApiKey, livekitApiSecret] as const;
  sip = new SipClient(...access);
  rooms = new RoomServiceClient(...access);
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

async function ensure(
  args = '',
  environment: Record<string, string> = {},
): Promise<EnsureReport & { code: number }> {
  const { code, stderr, stdout } = await stack.run(
    `trunk ensure --json ${args}`.trim(),
    environment,
  );
  if (!stdout) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as EnsureReport), code };
}

const changesOf = ({ lines }: EnsureReport) =>
  lines
    .filter(({ action }) => action !== 'keep')
    .map((it) => `${it.action} ${it.trunk} ${it.object}`);

/** Everything of ours in livekit-server: `kind trunk`, sorted. */
async function managed(): Promise<string[]> {
  const names = (kind: string, infos: readonly { metadata: string }[]) =>
    infos.flatMap((info) => {
      const trunk = managedTrunk(info);
      return trunk === undefined ? [] : [`${kind} ${trunk}`];
    });
  return [
    ...names('inbound', await sip.listSipInboundTrunk()),
    ...names('outbound', await sip.listSipOutboundTrunk()),
    ...names('rule', await sip.listSipDispatchRule()),
  ].toSorted();
}

const ALL = ['inbound', 'outbound', 'rule'].flatMap((kind) => [
  `${kind} loopback`,
  `${kind} simulator`,
]);

function trunksFile(yaml: string): Record<string, string> {
  const file = path.join(folder, 'trunks.yaml');
  writeFileSync(file, yaml);
  return { TRUNKS_FILE: file };
}

describe('ensure', () => {
  // The trunk monitor would make what a test has removed.
  beforeAll(() => process.kill(stack.pidOf('trunk-monitor'), 'SIGSTOP'));
  afterAll(() => process.kill(stack.pidOf('trunk-monitor'), 'SIGCONT'));

  it('changes nothing the second time', async () => {
    await ensure();
    const second = await ensure();
    expect(second).toMatchObject({ code: 0, changed: false, findings: [] });
    expect(await managed()).toEqual(ALL);
  });

  it('makes a rule that names its trunk and sends calls to the agent', async () => {
    const inbound = await sip.listSipInboundTrunk();
    const rules = await sip.listSipDispatchRule();
    expect(rules).toHaveLength(2);
    for (const rule of rules) {
      const trunk = inbound.find((info) => managedTrunk(info) === managedTrunk(rule));
      expect(rule.trunkIds).toEqual([trunk?.sipTrunkId]);
      expect(trunk?.allowedAddresses).toEqual(['127.0.0.1']);
      expect(JSON.parse(rule.roomConfig?.agents[0]?.metadata ?? '')).toEqual({
        direction: 'inbound',
        trunk: managedTrunk(rule),
      });
    }
  });

  it('completes what is half made, after a dry run that only told it', async () => {
    const [rule] = await sip.listSipDispatchRule();
    const trunk = (await sip.listSipOutboundTrunk()).find(
      (info) => managedTrunk(info) === 'loopback',
    );
    if (!rule || !trunk) throw new Error('nothing to break');
    await sip.deleteSipDispatchRule(rule.sipDispatchRuleId);
    await sip.deleteSipTrunk(trunk.sipTrunkId);
    const expected = [
      'create loopback outbound_trunk',
      `create ${managedTrunk(rule)} dispatch_rule`,
    ];
    expect(changesOf(await ensure('--dry-run'))).toEqual(expected);
    expect(await managed()).toHaveLength(4);
    expect(changesOf(await ensure())).toEqual(expected);
    expect(await managed()).toEqual(ALL);
  });

  it('makes each thing once when several run at the same time', async () => {
    for (const { sipDispatchRuleId } of await sip.listSipDispatchRule()) {
      await sip.deleteSipDispatchRule(sipDispatchRuleId);
    }
    for (const { sipTrunkId } of [
      ...(await sip.listSipInboundTrunk()),
      ...(await sip.listSipOutboundTrunk()),
    ]) {
      await sip.deleteSipTrunk(sipTrunkId);
    }
    const reports = await Promise.all([ensure(), ensure(), ensure()]);
    expect(reports.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await managed()).toEqual(ALL);
  });

  it('flags a rule of others that takes every INVITE, and does not touch it', async () => {
    const open = await sip.createSipDispatchRule({ type: 'individual', roomPrefix: 'open' });
    const report = await ensure();
    expect(report).toMatchObject({ code: 1, changed: false });
    expect(report.findings).toMatchObject([
      { severity: 'problem', message: expect.stringContaining(open.sipDispatchRuleId) },
    ]);
    expect((await ensure('--lenient')).code).toBe(0);
    const still = await sip.listSipDispatchRule();
    expect(still.map((rule) => rule.sipDispatchRuleId)).toContain(open.sipDispatchRuleId);
    await sip.deleteSipDispatchRule(open.sipDispatchRuleId);
  });

  it('lets two trunks exchange their numbers', async () => {
    const yaml = (a: string, b: string) => `trunks:
  - { name: simulator, provider: simulator, numbers: [{ number: "+12025550110" }, { number: "${a}" }] }
  - { name: loopback, provider: loopback, numbers: [{ number: "+12025550123" }, { number: "${b}" }] }
`;
    await ensure('', trunksFile(yaml('+12025550131', '+12025550132')));
    const environment = trunksFile(yaml('+12025550132', '+12025550131'));
    expect((await ensure('', environment)).code).toBe(0);
    expect(await ensure('', environment)).toMatchObject({ code: 0, changed: false });
    expect((await ensure()).code).toBe(0);
    expect(await managed()).toEqual(ALL);
  });

  it('makes a Twilio trunk from three variables, at Twilio and in LiveKit, once', async () => {
    const accountSid = `AC${'12'.repeat(16)}`;
    const twilio = new TwilioStandIn(accountSid, 'token');
    const environment = {
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_PHONE_NUMBER: '+12025550155',
      TWILIO_API_URL: await twilio.listen(),
      PUBLIC_IP: '203.0.113.9',
    };
    try {
      const number = { sid: newSid('PN'), phone_number: '+12025550155' };
      twilio.account.numbers.push({ ...number, trunk_sid: null, voice_url: null });
      expect(await ensure('', environment)).toMatchObject({ code: 0, changed: true, findings: [] });
      expect(await ensure('', environment)).toMatchObject({ code: 0, changed: false });
      const [outbound] = await sip.listSipOutboundTrunk();
      expect(outbound).toMatchObject({
        address: twilio.account.trunks[0]?.['domain_name'],
        authUsername: twilio.account.credentials[0]?.['username'],
        authPassword: twilio.account.credentials[0]?.password,
        numbers: ['+12025550155'],
      });
      const { stdout } = await stack.run('trunk list --json', environment);
      expect(stdout).not.toContain(twilio.account.credentials[0]?.password);
    } finally {
      await twilio.close();
      await ensure();
    }
    expect(await managed()).toEqual(ALL);
  });

  it('names every problem of a broken trunks.yaml, and changes nothing', async () => {
    const broken = trunksFile('trunks:\n  - { name: A, provider: generic, numbers: [] }\n');
    const { code, stderr, stdout } = await stack.run('trunk ensure', broken);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/trunks\.yaml:2:13: trunks\.0\.name: must be lower-case/);
    expect(stderr).toMatch(/trunks\.0\.numbers: needs at least one number/);
    expect(await managed()).toEqual(ALL);
  });
});

describe('the trunk monitor', () => {
  it('makes what is missing', async () => {
    const [rule] = await sip.listSipDispatchRule();
    await sip.deleteSipDispatchRule(rule?.sipDispatchRuleId ?? '');
    await expect.poll(managed, { timeout: 90_000, interval: 500 }).toEqual(ALL);
  });
});

describe('list and status', () => {
  it('list shows each trunk, made and up', async () => {
    await expect
      .poll(
        async () => {
          const { stdout } = await stack.run('trunk list --json');
          const rows = JSON.parse(stdout) as { name: string; state: { state: string } | null }[];
          return rows.map(({ name, state }) => `${name} ${state?.state}`);
        },
        { timeout: 90_000, interval: 1000 },
      )
      .toEqual(['simulator up', 'loopback up']);
  });

  it('status reads the announced address from a real INVITE, and leaves nothing behind', async () => {
    const { stdout } = await stack.run('trunk status --json');
    const examination = JSON.parse(stdout) as Examination;
    expect(examination.announced).toEqual({
      ok: true,
      signalling: '127.0.0.1',
      media: '127.0.0.1',
    });
    expect(examination.recentCalls.ok).toBe(true);
    expect(examination.trunks).toMatchObject([
      { name: 'simulator', pulse: { answered: true } },
      { name: 'loopback', pulse: { answered: true } },
    ]);
    expect(await managed()).toEqual(ALL);
    expect(await rooms.listRooms()).toEqual([]);
  });

  it('status finds an announced address that others do not reach', async () => {
    const { code, stdout } = await stack.run('trunk status', { PUBLIC_IP: '203.0.113.9' });
    expect(code).toBe(1);
    expect(stdout).toContain('wrong_announced_address');
    expect(stdout).toContain('because livekit-sip announces 127.0.0.1 for sound (SDP)');
    expect(stdout).toContain('because this machine is reached at 203.0.113.9');
  });
});
