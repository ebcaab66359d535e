import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { newCallId } from './call-id.ts';
import {
  freeLeakedSeats,
  leaveLiveCall,
  seatKey,
  seatsTaken,
  type LiveCall,
} from './live-calls.ts';
import { leaveLine, placeInLine, reserveDeparture, takeTurn, waitingCalls } from './trunk-turns.ts';

let server: RedisServer;
let redis: Redis;
let other: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  const log = createLog('test', 'error');
  redis = connectRedis(server.url, log, 'patient');
  other = connectRedis(server.url, log, 'patient');
});

afterAll(async () => {
  redis.disconnect();
  other.disconnect();
  await server.remove();
});

const fast = { callsPerSecond: 1000, concurrentCalls: 3 };

function aCall(trunk: string): LiveCall {
  const id = newCallId();
  return { id, room: id, trunk, direction: 'outbound', since: Date.now() };
}

/** Asks until the turn is granted, as the dispatcher does. Returns when it was. */
async function turnOf(
  client: Redis,
  call: LiveCall,
  limits: typeof fast,
  order: number,
): Promise<number> {
  for (;;) {
    const turn = await takeTurn(client, call, limits, order);
    if (turn.granted) return performance.now();
    await new Promise((resolve) => setTimeout(resolve, turn.waitMs));
  }
}

test('dispatchers that ask at once never take more seats than a trunk has', async () => {
  const calls = Array.from({ length: 30 }, () => aCall('seats'));
  const limits = { callsPerSecond: 100_000, concurrentCalls: 3 };
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      calls.map((call, index) => takeTurn(index % 2 === 0 ? redis : other, call, limits, index)),
    );
    expect(await seatsTaken(redis, 'seats')).toBeLessThanOrEqual(3);
  }
  expect(await seatsTaken(redis, 'seats')).toBe(3);
});

test('a call that has its turn keeps it when it asks again, as after a crash', async () => {
  const call = aCall('again');
  const limits = { callsPerSecond: 0.01, concurrentCalls: 1 };
  expect(await takeTurn(redis, call, limits, 1)).toEqual({ granted: true });
  expect(await takeTurn(other, call, limits, 1)).toEqual({ granted: true });
  expect(await seatsTaken(redis, 'again')).toBe(1);
});

test('a seat that is given back goes to the call that has waited longest', async () => {
  const limits = { callsPerSecond: 1000, concurrentCalls: 1 };
  const [first, second, third] = [aCall('line'), aCall('line'), aCall('line')];
  await turnOf(redis, first, limits, 1);
  expect((await takeTurn(redis, third, limits, 3)).granted).toBe(false);
  expect((await takeTurn(redis, second, limits, 2)).granted).toBe(false);
  await leaveLiveCall(redis, first);
  expect((await takeTurn(redis, third, limits, 3)).granted).toBe(false);
  await turnOf(redis, second, limits, 2);
  expect(await waitingCalls(redis, 'line')).toBe(1);
});

test('an urgent call overtakes all that wait, though it came last, and equals keep their order', async () => {
  const limits = { callsPerSecond: 20, concurrentCalls: 100 };
  const came = [5, 10, 5, 1].map((priority, index) => ({
    call: aCall('urgent'),
    place: placeInLine(priority, 1_800_000_000_000 + index),
  }));
  await turnOf(redis, aCall('urgent'), limits, placeInLine(5, 0));
  // All stand in the line before any may go.
  for (const { call, place } of came) {
    expect((await takeTurn(redis, call, limits, place)).granted).toBe(false);
  }
  const granted: string[] = [];
  await Promise.all(
    came.map(async ({ call, place }, index) => {
      await turnOf(index % 2 === 0 ? redis : other, call, limits, place);
      granted.push(call.id);
    }),
  );
  expect(granted).toEqual([3, 0, 2, 1].map((index) => came[index]?.call.id));
});

test('an urgent call that is not there does not hold up the others', async () => {
  const limits = { callsPerSecond: 1000, concurrentCalls: 100 };
  const [urgent, second] = [aCall('vanished'), aCall('vanished')];
  await redis.set('trunkline:trunk:vanished:pace', Date.now() + 100, 'PX', 1000);
  expect((await takeTurn(redis, urgent, limits, placeInLine(1, 1))).granted).toBe(false);
  await turnOf(redis, second, limits, placeInLine(9, 1));
  expect(await redis.smembers(seatKey('vanished'))).toEqual([second.id]);
});

test('no more calls than agents have their turn, over all trunks', async () => {
  const limits = { callsPerSecond: 100_000, concurrentCalls: 100 };
  const agents = (await redis.hlen('trunkline:live')) + 3;
  const calls = Array.from({ length: 10 }, (_, index) => aCall(`agents-${index % 2}`));
  const ask = async () =>
    Promise.all(
      calls.map(async (call, index) => takeTurn(redis, call, { ...limits, agents }, index)),
    );
  const granted = async () => {
    const turns = await ask();
    return calls.filter((_, index) => turns[index]?.granted);
  };
  // The pace, a millisecond, may take several askings.
  while ((await granted()).length < 3);
  const [first] = await granted();
  expect(await redis.hlen('trunkline:live')).toBe(agents);
  await leaveLiveCall(redis, first!);
  while ((await granted()).length < 3);
  expect(await redis.hlen('trunkline:live')).toBe(agents);
});

test('a call that left the line does not hold up those behind it', async () => {
  const limits = { callsPerSecond: 1000, concurrentCalls: 1 };
  const [first, second, third] = [aCall('gone'), aCall('gone'), aCall('gone')];
  await turnOf(redis, first, limits, 1);
  await takeTurn(redis, second, limits, 2);
  await takeTurn(redis, third, limits, 3);
  await leaveLine(redis, 'gone', second.id);
  await leaveLiveCall(redis, first);
  // Asked until the pace of the trunk, a millisecond, has passed too.
  await turnOf(redis, third, limits, 3);
  expect(await redis.smembers(seatKey('gone'))).toEqual([third.id]);
});

test('a call that does not come back does not hold up those behind it', async () => {
  const limits = { callsPerSecond: 1000, concurrentCalls: 1 };
  const [first, lost, third] = [aCall('lost'), aCall('lost'), aCall('lost')];
  await turnOf(redis, first, limits, 1);
  await takeTurn(redis, lost, limits, 2);
  // As if it had been due long ago and its job had vanished.
  await redis.zadd('trunkline:trunk:lost:due', 1, lost.id);
  await leaveLiveCall(redis, first);
  await turnOf(redis, third, limits, 3);
  expect(await redis.smembers(seatKey('lost'))).toEqual([third.id]);
});

test('turns and departures keep the pace of the trunk over several dispatchers', async () => {
  const limits = { callsPerSecond: 20, concurrentCalls: 100 };
  const calls = Array.from({ length: 10 }, () => aCall('pace'));
  const granted = await Promise.all(
    calls.map((call, index) => turnOf(index % 2 === 0 ? redis : other, call, limits, index)),
  );
  // Nine intervals of 50 ms lie between ten calls; the scheduling of this process can only add to them.
  expect(Math.max(...granted) - Math.min(...granted)).toBeGreaterThan(9 * 50 - 25);

  const waits = await Promise.all(
    calls.map((_, index) => reserveDeparture(index % 2 === 0 ? redis : other, 'pace', limits)),
  );
  const sorted = waits.toSorted((a, b) => a - b);
  expect(sorted[0]).toBeLessThanOrEqual(1);
  expect(sorted[9]).toBeGreaterThan(9 * 50 - 100);
});

test('a clock of Redis that was an hour ahead holds nobody up', async () => {
  const [seconds] = await redis.time();
  const hourAhead = Number(seconds) * 1000 + 3_600_000;
  await redis.set('trunkline:trunk:clock:pace', hourAhead);
  await redis.set('trunkline:trunk:clock:departure', hourAhead);
  const limits = { callsPerSecond: 2, concurrentCalls: 3 };
  const first = await takeTurn(redis, aCall('clock'), limits, 1);
  expect(first.granted || first.waitMs <= 500).toBe(true);
  expect(await reserveDeparture(redis, 'clock', limits)).toBe(0);
  const second = await reserveDeparture(redis, 'clock', limits);
  expect(second).toBeGreaterThan(0);
  expect(second).toBeLessThanOrEqual(500);
});

test('seats of calls that are not live are freed, and no others', async () => {
  const call = aCall('leak');
  await turnOf(redis, call, fast, 1);
  await redis.sadd(seatKey('leak'), newCallId());
  expect(await freeLeakedSeats(redis, 'leak')).toBe(1);
  expect(await redis.smembers(seatKey('leak'))).toEqual([call.id]);
});
