import { SIPDispatchRuleInfo, SIPInboundTrunkInfo } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { objectsOf } from './livekit-objects.ts';
import {
  isSettled,
  planLiveKit,
  ruleFor,
  type LiveKitPlan,
  type LiveKitState,
} from './livekit-plan.ts';
import { aTrunk } from './trunk-fixture.ts';
import type { Trunk } from './trunk.ts';

const office = aTrunk();
const berlin = aTrunk({
  name: 'berlin',
  numbers: [{ number: '+4930123456', personality: 'german_assistant' }],
});
const nothing: LiveKitState = { outbound: [], inbound: [], rules: [] };

const plan = (trunks: readonly Trunk[], state: LiveKitState) =>
  planLiveKit(
    trunks.map((trunk) => objectsOf(trunk, 'trunkline')),
    state,
  );

/** What livekit-server would hold after ensure. */
function made(trunks: readonly Trunk[], suffix = ''): LiveKitState {
  const state: LiveKitState = { outbound: [], inbound: [], rules: [] };
  for (const [index, trunk] of trunks.entries()) {
    const { inbound, outbound, rule } = objectsOf(trunk, 'trunkline');
    outbound.sipTrunkId = `ST_out${index}${suffix}`;
    inbound.sipTrunkId = `ST_in${index}${suffix}`;
    const bound = ruleFor(rule, inbound.sipTrunkId);
    bound.sipDispatchRuleId = `SDR_${index}${suffix}`;
    state.outbound.push(outbound);
    state.inbound.push(inbound);
    state.rules.push(bound);
  }
  return state;
}

const actions = ({ inbound, outbound, rules }: LiveKitPlan) =>
  [...outbound, ...inbound, ...rules]
    .filter(({ action }) => action !== 'keep')
    .map(({ action, changes, kind, trunk }) => [action, trunk, kind, ...changes].join(' '));

describe('the plan for LiveKit', () => {
  it('creates all of a new trunk, with a rule that sends its calls to the agent', () => {
    expect(actions(plan([office], nothing))).toEqual([
      'create office outbound_trunk',
      'create office inbound_trunk',
      'create office dispatch_rule',
    ]);
    const { rule } = objectsOf(office, 'trunkline');
    expect(rule.toJson()).toMatchObject({
      metadata: '{"managedBy":"trunkline","trunk":"office"}',
      rule: { dispatchRuleIndividual: { roomPrefix: 'in' } },
      roomConfig: {
        agents: [{ agentName: 'trunkline', metadata: '{"direction":"inbound","trunk":"office"}' }],
      },
    });
  });

  it('changes nothing where all is as it should be, whatever the order of lists', () => {
    const state = made([office, berlin]);
    state.inbound[0]?.allowedAddresses.reverse();
    expect(isSettled(plan([office, berlin], state))).toBe(true);
  });

  it('names the fields that an update changes, never their values', () => {
    const state = made([office]);
    const changed = aTrunk({
      address: 'sip2.example.com',
      credentials: { username: 'u', password: 'top-secret' },
      allowedAddresses: ['198.51.100.1'],
      mediaEncryption: 'allow',
    });
    const { findings, ...steps } = plan([changed], state);
    expect(actions({ ...steps, findings })).toEqual([
      'update office outbound_trunk address authPassword authUsername mediaEncryption',
      'update office inbound_trunk allowedAddresses mediaEncryption',
    ]);
  });

  it('deletes what it manages and nobody wants any more', () => {
    expect(actions(plan([office], made([office, berlin])))).toEqual([
      'delete berlin outbound_trunk',
      'delete berlin inbound_trunk',
      'delete berlin dispatch_rule',
    ]);
  });

  it('completes a half-made trunk, and binds its rule to the new inbound trunk', () => {
    const state = made([office]);
    state.inbound = [];
    expect(actions(plan([office], state))).toEqual([
      'create office inbound_trunk',
      'update office dispatch_rule trunkIds',
    ]);
  });

  it('removes what two runs at once made twice, and keeps the older', () => {
    const one = made([office], 'a');
    const two = made([office], 'b');
    const both = {
      outbound: [...two.outbound, ...one.outbound],
      inbound: [...two.inbound, ...one.inbound],
      rules: [...two.rules, ...one.rules],
    };
    const { inbound, outbound, rules } = plan([office], both);
    expect([...outbound, ...inbound, ...rules].map(({ action, id }) => `${action} ${id}`)).toEqual([
      'delete ST_out0b',
      'keep ST_out0a',
      'delete ST_in0b',
      'keep ST_in0a',
      'delete SDR_0b',
      'keep SDR_0a',
    ]);
  });

  it('mends a rule of ours that lost its trunk, which would take every INVITE', () => {
    const state = made([office]);
    state.rules[0]!.trunkIds = [];
    expect(actions(plan([office], state))).toEqual(['update office dispatch_rule trunkIds']);
    expect(plan([office], state).findings).toEqual([]);
  });

  it('replaces an inbound trunk of which no number stays, so that it never stands without numbers', () => {
    const moved = aTrunk({ numbers: [{ number: '+12025550199', personality: 'receptionist' }] });
    expect(actions(plan([moved], made([office])))).toEqual([
      'update office outbound_trunk numbers',
      'delete office inbound_trunk',
      'create office inbound_trunk',
      'update office dispatch_rule trunkIds',
    ]);
  });

  it('never touches what others made', () => {
    const foreign = made([berlin]);
    for (const info of [...foreign.outbound, ...foreign.inbound, ...foreign.rules]) {
      info.metadata = '{"owner":"somebody"}';
    }
    expect(actions(plan([office], foreign))).toEqual(actions(plan([office], nothing)));
  });

  it('refuses a trunk that would take calls from every address', () => {
    expect(() => objectsOf(aTrunk({ allowedAddresses: [] }), 'trunkline')).toThrow(/every address/);
  });
});

describe('what the plan flags', () => {
  it('is a rule of others without trunks, which takes every INVITE', () => {
    const rule = new SIPDispatchRuleInfo({ sipDispatchRuleId: 'SDR_x', name: 'all' });
    const { findings } = plan([office], { ...nothing, rules: [rule] });
    expect(findings).toMatchObject([
      { severity: 'problem', message: expect.stringMatching(/"all" \(SDR_x\) names no trunk/) },
    ]);
  });

  it('is an inbound trunk of others that holds our number; ours is then not made', () => {
    const other = new SIPInboundTrunkInfo({ sipTrunkId: 'ST_x', numbers: ['12025550123'] });
    const planned = plan([office, berlin], { ...nothing, inbound: [other] });
    expect(planned.findings).toMatchObject([
      { severity: 'problem', trunk: 'office', message: expect.stringContaining('ST_x') },
    ]);
    expect(JSON.stringify(planned.findings)).not.toContain('2025550123');
    expect(actions(planned)).toEqual([
      'create office outbound_trunk',
      'create berlin outbound_trunk',
      'create berlin inbound_trunk',
      'create berlin dispatch_rule',
    ]);
  });

  it('is a rule of others on our trunk, which then stays as it is', () => {
    const state = made([office]);
    state.rules[0]!.metadata = '';
    const planned = plan([office], state);
    expect(planned.findings).toMatchObject([
      { trunk: 'office', message: expect.stringMatching(/takes the calls/) },
    ]);
    expect(actions(planned)).toEqual([]);
  });

  it('is an inbound trunk of others that is open to all', () => {
    const open = new SIPInboundTrunkInfo({ sipTrunkId: 'ST_open' });
    expect(plan([], { ...nothing, inbound: [open] }).findings).toMatchObject([
      { severity: 'note' },
    ]);
  });
});
