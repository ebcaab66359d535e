import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newCallId, type CallId } from '../call/call-id.ts';
import { EVENT_STREAM, EventPublisher, parseStreamEntry } from '../call/event-stream.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { CallJournal } from './call-journal.ts';

const log = createLog('test', 'error');
const end = { outcome: 'completed', reason: 'The caller hung up.', hungUpBy: 'caller' } as const;
const turn = (text: string) => ({ role: 'caller', text, interrupted: false }) as const;

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

async function told(call: CallId): Promise<string[]> {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries
    .map(([, fields]) => parseStreamEntry(fields))
    .filter((event) => event.call === call)
    .map((event) => (event.type === 'turn' ? event.data.text : event.type));
}

describe('CallJournal', () => {
  it('publishes events in the order in which they were written, the end last and once', async () => {
    const call = newCallId();
    const journal = new CallJournal(call, new EventPublisher(redis), log);
    journal.write('call.answered', { personality: 'receptionist', simulated: true });
    for (const text of ['one', 'two', 'three']) journal.write('turn', turn(text));
    const first = journal.end(end);
    journal.write('turn', turn('too late'));
    await Promise.all([first, journal.end({ ...end, outcome: 'failed' })]);
    expect(await told(call)).toEqual(['call.answered', 'one', 'two', 'three', 'call.ended']);
  });

  it('takes after the end only what cannot be known sooner', async () => {
    const call = newCallId();
    const journal = new CallJournal(call, new EventPublisher(redis), log);
    await journal.end(end);
    journal.write('turn', turn('too late'));
    journal.write('call.usage', { usage: [] });
    journal.write('call.recorded', { file: 'x', durationMs: 1, bytes: 1 });
    await journal.flushed();
    expect(await told(call)).toEqual(['call.ended', 'call.usage', 'call.recorded']);
  });

  it('keeps the order when events fail, and loses only those', async () => {
    const call = newCallId();
    const real = new EventPublisher(redis);
    const publish: EventPublisher['publish'] = async (type, id, data) => {
      if ('text' in data && data.text === 'lost') throw new Error('no room in the stream');
      await real.publish(type, id, data);
    };
    const journal = new CallJournal(call, { publish }, createLog('test', 'fatal'));
    for (const text of ['one', 'lost', 'two']) journal.write('turn', turn(text));
    await journal.end(end);
    expect(await told(call)).toEqual(['one', 'two', 'call.ended']);
  });
});
