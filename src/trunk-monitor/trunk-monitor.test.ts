import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EVENT_STREAM } from '../call/event-stream.ts';
import { trunkEventIn } from '../call/trunk-entries.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics, type Registry } from '../platform/metrics.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import type { EnsureReport } from '../trunk/ensure.ts';
import type { PlanLine } from '../trunk/plan.ts';
import type { Pulse } from '../trunk/sip-options.ts';
import { aTrunk } from '../trunk/trunk-fixture.ts';
import { readTrunkStates } from '../trunk/trunk-state.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { TrunkMonitor } from './trunk-monitor.ts';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

const line = (action: PlanLine['action']): PlanLine => ({
  where: 'livekit',
  trunk: 'office',
  object: 'dispatch_rule',
  action,
  changes: [],
});
const reportOf = (lines: PlanLine[], changes: Partial<EnsureReport> = {}): EnsureReport => ({
  dryRun: true,
  changed: false,
  lines,
  findings: [],
  addresses: {},
  ...changes,
});

let world: {
  trunks: () => Trunk[];
  pulse: Pulse;
  planned: EnsureReport;
  ensured: number;
  now: number;
};
let metrics: Registry;
let monitor: TrunkMonitor;
let pinged: string[];

beforeEach(async () => {
  await redis.flushall();
  pinged = [];
  world = {
    trunks: () => [aTrunk()],
    pulse: { answered: true, status: 200, afterMs: 1 },
    planned: reportOf([line('keep')]),
    ensured: 0,
    now: 1000,
  };
  monitor = newMonitor();
});

function newMonitor(): TrunkMonitor {
  metrics = createMetrics('test');
  return new TrunkMonitor({
    redis,
    log: createLog('test', 'silent'),
    metrics,
    loadTrunks: () => world.trunks(),
    ping: (_, host, port) => {
      pinged.push(`${host}:${port}`);
      return Promise.resolve(world.pulse);
    },
    plan: () => Promise.resolve(world.planned),
    ensure: () => {
      world.ensured += 1;
      return Promise.resolve(reportOf([line('create')]));
    },
    now: () => world.now,
  });
}

const stateOf = async (name: string) => (await readTrunkStates(redis)).get(name);
const metric = async (name: string) => (await metrics.getSingleMetric(name)?.get())?.values;

describe('the state of a trunk', () => {
  it('is written to Redis and to the metrics', async () => {
    await monitor.look();
    expect(await stateOf('office')).toEqual({ state: 'up', since: 1000, reason: 'answers' });
    expect(await metric('trunkline_trunk_up')).toMatchObject([
      { value: 1, labels: { trunk: 'office' } },
    ]);
    expect(monitor.states()).toEqual({ office: 'up' });
  });

  it('is down when it stays silent, since when it became so', async () => {
    await monitor.look();
    world.pulse = { answered: false, reason: 'no answer came' };
    world.now = 2000;
    await monitor.look();
    expect((await stateOf('office'))?.state).toBe('up');
    await monitor.look();
    await monitor.look();
    expect(await stateOf('office')).toMatchObject({ state: 'down', since: 2000 });
    expect(await metric('trunkline_trunk_up')).toMatchObject([{ value: 0 }]);
  });

  it('is told in the stream of events where it changes, also over a restart', async () => {
    const told = async () =>
      (await redis.xrange(EVENT_STREAM, '-', '+')).map(([, fields]) => trunkEventIn(fields));
    await monitor.look();
    expect(await told()).toEqual([]);
    world.pulse = { answered: false, reason: 'no answer came' };
    for (let looks = 0; looks < 4; looks += 1) await monitor.look();
    expect(await told()).toMatchObject([
      { type: 'trunk.down', data: { trunk: 'office', before: 'up' } },
    ]);
    monitor = newMonitor();
    await monitor.look();
    expect(await told()).toHaveLength(1);
    monitor = newMonitor();
    world.pulse = { answered: true, status: 200, afterMs: 1 };
    await monitor.look();
    expect((await told())[1]).toMatchObject({ type: 'trunk.up', data: { before: 'down' } });
  });

  it('is degraded where its carrier has a problem', async () => {
    world.planned = reportOf([line('keep')], {
      findings: [{ severity: 'problem', trunk: 'office', message: 'The account is suspended.' }],
    });
    await monitor.checkPlan();
    await monitor.look();
    expect(await stateOf('office')).toMatchObject({
      state: 'degraded',
      reason: 'The account is suspended.',
    });
  });

  it('is forgotten with its trunk', async () => {
    await monitor.look();
    world.trunks = () => [aTrunk({ name: 'berlin' })];
    await monitor.look();
    expect(await stateOf('office')).toBeUndefined();
    expect(await metric('trunkline_trunk_up')).toMatchObject([{ labels: { trunk: 'berlin' } }]);
  });

  it('is asked where the carrier says that its calls go', async () => {
    world.planned = reportOf([line('keep')], { addresses: { office: 'pbx.pstn.twilio.com:5070' } });
    await monitor.look();
    await monitor.checkPlan();
    await monitor.look();
    expect(pinged).toEqual(['sip.example.com:5060', 'pbx.pstn.twilio.com:5070']);
  });
});

describe('the plan', () => {
  it('is applied where something is missing', async () => {
    world.planned = reportOf([line('create'), line('keep')]);
    await monitor.checkPlan();
    expect(world.ensured).toBe(1);
  });

  it('is only counted where something differs: the operator may be changing it', async () => {
    world.planned = reportOf([line('update'), line('delete'), line('keep')]);
    await monitor.checkPlan();
    expect(world.ensured).toBe(0);
    expect(await metric('trunkline_trunk_differences')).toMatchObject([{ value: 2 }]);
  });

  it('goes by the last good trunks.yaml while the file is broken', async () => {
    await monitor.look();
    world.trunks = () => {
      throw new Error('trunks.yaml:1:1: broken');
    };
    await monitor.checkPlan();
    await monitor.look();
    expect((await stateOf('office'))?.state).toBe('up');
  });
});
