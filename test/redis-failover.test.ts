import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiProcess } from '../src/api/fixtures/api-process.ts';
import { LiveKitStandIn, sipError } from '../src/dispatcher/fixtures/livekit-stand-in.ts';
import { Releases } from '../src/platform/releases.ts';
import { RedisGroup } from '../src/platform/testing/redis-group.ts';
import { DispatcherFixture } from './dispatcher-fixture.ts';
import { eventually } from './eventually.ts';
import { callsWith, orderUntilAccepted } from './order-until-accepted.ts';

const ORDERS = 150;
const ORDERERS = 5;
const ORDER = { to_number: '+12025550186', personality: 'appointment_reminder' };

// Real Redis servers and Sentinels, api and dispatchers; LiveKit is stood in for, and each order to dial that
// reaches it counts as an INVITE.
const releases = new Releases();
let group: RedisGroup;
let livekit: LiveKitStandIn;
let api: ApiProcess;

beforeAll(async () => {
  group = await RedisGroup.start();
  releases.add('redis', async () => group.remove());
  livekit = await LiveKitStandIn.start();
  releases.add('livekit', () => livekit.close());
  livekit.dialAnswer = sipError(486);
  api = await ApiProcess.start({ REDIS_URL: group.url });
  releases.add('api', async () => api.remove());
  for (const name of ['dispatcher 1', 'dispatcher 2']) {
    const dispatcher = await DispatcherFixture.start({
      redisUrl: group.url,
      livekitUrl: livekit.url,
    });
    releases.add(name, async () => dispatcher.kill());
  }
});
afterAll(async () => releases.run());

it('the master of Redis is killed while calls are ordered and dialled: none is lost, none dialled twice', async () => {
  const old = await group.master();
  const ids: string[] = [];
  let left = ORDERS;
  const orderer = async () => {
    while (left > 0) {
      left -= 1;
      ids.push(await orderUntilAccepted(api, ORDER));
    }
  };
  const ordering = Array.from({ length: ORDERERS }, orderer);
  await eventually(() => (livekit.invites.length >= 10 ? true : undefined));
  expect(left).toBeGreaterThan(0);
  await old.kill();
  await group.failedOver(old);
  await Promise.all(ordering);

  const ended = await eventually(async () => {
    const calls = await callsWith(api, 'ended');
    return calls.length >= ids.length ? calls : undefined;
  });
  expect(ended.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  const dialled = livekit.invites.toSorted();
  expect(dialled).toEqual([...new Set(dialled)]);
  // What was not dialled is told as such; of the others the ledger knows what the far end said.
  const silent = ended.filter(({ id }) => !dialled.includes(id));
  expect(silent.filter(({ outcome }) => outcome !== 'failed')).toEqual([]);
  const busy = ended.filter(({ outcome }) => outcome === 'busy');
  // Only dials that were under way when the master died can have an end that is not known.
  expect(busy.length).toBeGreaterThanOrEqual(ORDERS - 2 * ORDERERS);
});
