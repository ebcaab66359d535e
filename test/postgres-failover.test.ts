import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiProcess } from '../src/api/fixtures/api-process.ts';
import { LiveKitStandIn, sipError } from '../src/dispatcher/fixtures/livekit-stand-in.ts';
import { Releases } from '../src/platform/releases.ts';
import { PostgresServer } from '../src/platform/testing/postgres-server.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { DispatcherFixture } from './dispatcher-fixture.ts';
import { eventually } from './eventually.ts';
import { callsWith, orderUntilAccepted } from './order-until-accepted.ts';

const ORDERS = 150;
const ORDERERS = 5;
const ORDER = { to_number: '+12025550186', personality: 'appointment_reminder' };

// Two real Postgres servers, one following the other, with two apis; LiveKit is stood in for.
const releases = new Releases();
let primary: PostgresServer;
let standby: PostgresServer;
let livekit: LiveKitStandIn;
let apis: ApiProcess[];

beforeAll(async () => {
  const redis = await RedisServer.start();
  releases.add('redis', async () => redis.remove());
  primary = await PostgresServer.start();
  releases.add('primary', async () => primary.remove());
  standby = await primary.standby();
  releases.add('standby', async () => standby.remove());
  await primary.waitForStandby();
  livekit = await LiveKitStandIn.start();
  releases.add('livekit', () => livekit.close());
  livekit.dialAnswer = sipError(486);
  const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join(',');
  apis = await Promise.all(
    ['api 1', 'api 2'].map(async (name) => {
      const api = await ApiProcess.start({
        REDIS_URL: redis.url,
        DATABASE_URL: `postgres://postgres@${hosts}/postgres?target_session_attrs=read-write`,
      });
      releases.add(name, async () => api.remove());
      return api;
    }),
  );
  const dispatcher = await DispatcherFixture.start({
    redisUrl: redis.url,
    livekitUrl: livekit.url,
  });
  releases.add('dispatcher', async () => dispatcher.kill());
});
afterAll(async () => releases.run());

it('the primary of Postgres is killed while calls are ordered and end: none that was accepted is lost', async () => {
  const ids: string[] = [];
  let left = ORDERS;
  const orderer = async (_: unknown, index: number) => {
    while (left > 0) {
      left -= 1;
      ids.push(await orderUntilAccepted(apis[index % apis.length]!, ORDER));
    }
  };
  const ordering = Array.from({ length: ORDERERS }, orderer);
  await eventually(() => (livekit.invites.length >= 10 ? true : undefined));
  expect(left).toBeGreaterThan(0);
  await primary.stop();
  await standby.promote();
  await Promise.all(ordering);

  const ended = await eventually(async () => {
    const calls = await callsWith(apis[0]!, 'ended');
    return calls.length >= ids.length ? calls : undefined;
  });
  expect(ended.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(ended.filter(({ outcome }) => outcome !== 'busy')).toEqual([]);
  expect(livekit.invites.toSorted()).toEqual(ids.toSorted());
});
