import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiProcess } from '../src/api/fixtures/api-process.ts';
import { LiveKitStandIn, sipError } from '../src/dispatcher/fixtures/livekit-stand-in.ts';
import { Releases } from '../src/platform/releases.ts';
import { PostgresServer } from '../src/platform/testing/postgres-server.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { DispatcherFixture } from './dispatcher-fixture.ts';
import { eventually } from './eventually.ts';
import { callsWith, orderUntilAccepted } from './order-until-accepted.ts';
import { OtherMachine } from './other-machine.ts';
import { SteppedClock } from './stepped-clock.ts';

const ORDERS = 60;
const ORDERERS = 4;
const ORDER = { to_number: '+12025550186', personality: 'appointment_reminder' };

/**
 * Two apis and three dispatchers, one of them on another machine, with one Redis and one Postgres; and something that goes wrong while calls are ordered and
 * dialled. LiveKit is stood in for; each order to dial that reaches it counts as an INVITE.
 */
const releases = new Releases();
let redis: RedisServer;
let livekit: LiveKitStandIn;
let apis: ApiProcess[];
let dispatchers: DispatcherFixture[];
let clock: SteppedClock;
let elsewhere: OtherMachine | undefined;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-faults-'));
  releases.add('folder', () => rmSync(folder, { recursive: true }));
  const machine = OtherMachine.isPossible ? OtherMachine.connect() : undefined;
  releases.add('machine', () => machine?.remove());
  elsewhere = machine;
  const addresses = ['127.0.0.1', ...(machine ? [machine.here] : [])].join(' ');
  redis = await RedisServer.start(['--bind', addresses, '--protected-mode', 'no']);
  releases.add('redis', async () => redis.remove());
  const postgres = await PostgresServer.start();
  releases.add('postgres', async () => postgres.remove());
  livekit = await LiveKitStandIn.start('0.0.0.0');
  releases.add('livekit', () => livekit.close());
  livekit.dialAnswer = sipError(486);
  apis = await Promise.all(
    ['api 1', 'api 2'].map(async (name) => {
      const api = await ApiProcess.start({ REDIS_URL: redis.url, DATABASE_URL: postgres.url });
      releases.add(name, async () => api.remove());
      return api;
    }),
  );
  clock = new SteppedClock(folder);
  releases.add('dispatchers', async () => {
    for (const dispatcher of dispatchers) await dispatcher.kill();
  });
  dispatchers = [await startDispatcher(), await startDispatcher(clock.environment)];
  if (machine) {
    elsewhere = machine;
    const dispatcher = await DispatcherFixture.start({
      redisUrl: `redis://${machine.here}:${redis.port}`,
      livekitUrl: livekit.urlAt(machine.here),
      prefix: machine.prefix,
    });
    dispatchers.push(dispatcher);
  }
});
afterAll(async () => releases.run());

describe('calls that are ordered and dialled', () => {
  it('are each made once while an api and a dispatcher are killed and started again', async () => {
    const calls = await during(async () => {
      await Promise.all([apis[0]!.end('SIGKILL'), dispatchers[0]!.kill()]);
      await apis[0]!.restart();
      dispatchers[0] = await startDispatcher();
    });
    expectOnce(calls, 2 * ORDERERS);
  });

  it('are each made once while Redis is killed and started again', async () => {
    const calls = await during(async () => {
      await redis.kill();
      await redis.restart();
    });
    expectOnce(calls, 2 * ORDERERS);
  });

  it('are each made once while Redis stands still for a minute', async () => {
    const calls = await during(async () => {
      redis.freeze();
      await delay(60_000);
      redis.thaw();
    });
    expectOnce(calls, 2 * ORDERERS);
  });

  it.skipIf(!OtherMachine.isPossible).each([5, 30])(
    'are each made once while a machine with a dispatcher is cut off for %i s (needs root, for network namespaces)',
    async (seconds) => {
      const calls = await during(async () => {
        elsewhere?.pullCable();
        await delay(seconds * 1000);
        elsewhere?.plugCable();
      });
      expectOnce(calls, 2 * ORDERERS);
    },
  );

  it('are each made once while the clock of a dispatcher is an hour ahead, then behind', async () => {
    const calls = await during(async () => {
      clock.step(3600);
      await delay(1000);
      clock.step(-3600);
      await delay(1000);
      clock.step(0);
    });
    expectOnce(calls, 0);
  });
});

type Made = { ids: string[]; ended: { id: string; outcome: string | null }[]; invites: string[] };

/** Orders calls, lets `fault` happen when some have been dialled, and waits until all have ended. */
async function during(fault: () => Promise<void>): Promise<Made> {
  const before = new Set(livekit.invites);
  const ids: string[] = [];
  let left = ORDERS;
  const orderer = async (_: unknown, index: number) => {
    while (left > 0) {
      left -= 1;
      ids.push(await orderUntilAccepted(apis[index % apis.length]!, ORDER));
    }
  };
  const ordering = Array.from({ length: ORDERERS }, orderer);
  await eventually(() => (livekit.invites.length >= before.size + 5 ? true : undefined));
  expect(left).toBeGreaterThan(0);
  await fault();
  await Promise.all(ordering);
  const ended = await eventually(async () => {
    const calls = (await callsWith(apis[1]!, 'ended')).filter(({ id }) => ids.includes(id));
    return calls.length >= ids.length ? calls : undefined;
  });
  return { ids, ended, invites: livekit.invites.filter((id) => !before.has(id)) };
}

/** @param doubtful calls that may have been under way when the fault came, so that their end is not known */
function expectOnce({ ids, ended, invites }: Made, doubtful: number): void {
  expect(new Set(ids).size).toBe(ORDERS);
  expect(invites.toSorted()).toEqual([...new Set(invites)].toSorted());
  const silent = ended.filter(({ id }) => !invites.includes(id));
  expect(silent.filter(({ outcome }) => outcome !== 'failed')).toEqual([]);
  const busy = ended.filter(({ outcome }) => outcome === 'busy').length;
  expect(busy).toBeGreaterThanOrEqual(ORDERS - doubtful);
}

async function startDispatcher(
  environment: Record<string, string> = {},
): Promise<DispatcherFixture> {
  return DispatcherFixture.start({
    redisUrl: redis.url,
    livekitUrl: livekit.url,
    environment,
  });
}
