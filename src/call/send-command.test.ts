import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { commandChannel, type CallCommand, type CommandAnswer } from './call-command.ts';
import { newCallId, type CallId } from './call-id.ts';
import { CommandListener, type CommandHandler } from './command-listener.ts';
import { readCommand } from './command-record.ts';
import { sendCommand, type CommandPatience, type Sent } from './send-command.ts';

const log = createLog('test', 'silent');
const KEYS: CallCommand = { kind: 'dtmf', digits: '12' };
const DONE: CommandAnswer = { state: 'done' };

let server: RedisServer;
let redis: Redis;
const opened: (() => void)[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});
afterEach(() => {
  for (const close of opened.splice(0)) close();
});
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

function client(): Redis {
  return connectRedis(server.url, log, 'patient');
}

function listener(): CommandListener {
  const made = new CommandListener({ redis, connect: client, log });
  opened.push(() => made.close());
  return made;
}

async function send(
  callId: CallId,
  options: { id?: string; hash?: string; patience?: Partial<CommandPatience> } = {},
): Promise<Sent> {
  const { id = 'one', hash = 'hash', patience = {} } = options;
  return sendCommand(redis, callId, { id, hash, content: KEYS }, patience);
}

/** Remembers what it was asked. */
function obeying(answer: CommandAnswer = DONE) {
  const asked: CallCommand[] = [];
  const handler: CommandHandler = async (command) => {
    asked.push(command);
    return answer;
  };
  return { asked, handler };
}

test('an agent is asked, and its answer comes back', async () => {
  const callId = newCallId();
  const refusal = { state: 'refused', cause: 'far_end', reason: 'No.', sipStatus: 603 } as const;
  const agent = obeying(refusal);
  listener().listen(callId, agent.handler);
  expect(await send(callId)).toEqual({ kind: 'answered', answer: refusal });
  expect(agent.asked).toEqual([KEYS]);
});

test('an agent that begins to listen only now is found', async () => {
  const callId = newCallId();
  const sending = send(callId, { patience: { nobodyMs: 20_000 } });
  await vi.waitFor(async () => expect(await readCommand(redis, callId, 'one')).toBeDefined());
  const agent = obeying();
  listener().listen(callId, agent.handler);
  expect(await sending).toEqual({ kind: 'answered', answer: DONE });
});

test('what is asked again under the same id, however often and at once, is done once', async () => {
  const callId = newCallId();
  const agent = obeying();
  listener().listen(callId, agent.handler);
  const answers = await Promise.all([send(callId), send(callId), send(callId)]);
  answers.push(await send(callId));
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['answered']));
  expect(agent.asked).toHaveLength(1);
});

test('something else under the same id is a mistake, and is not done', async () => {
  const callId = newCallId();
  const agent = obeying();
  listener().listen(callId, agent.handler);
  await send(callId);
  expect(await send(callId, { hash: 'another' })).toEqual({ kind: 'id_reused' });
  expect(agent.asked).toHaveLength(1);
});

test('where nobody listens the command is withdrawn, and can be given again', async () => {
  const callId = newCallId();
  expect(await send(callId, { patience: { nobodyMs: 0 } })).toEqual({ kind: 'nobody' });
  const agent = obeying();
  listener().listen(callId, agent.handler);
  expect(agent.asked).toEqual([]);
  expect((await send(callId)).kind).toBe('answered');
  expect(agent.asked).toHaveLength(1);
});

test('an agent that is stuck loses the command, and does not carry it out when it comes round', async () => {
  const callId = newCallId();
  const deaf = client();
  opened.push(() => deaf.disconnect());
  const messages: string[] = [];
  deaf.on('message', (_channel: string, text: string) => messages.push(text));
  await deaf.subscribe(commandChannel(callId));
  expect(await send(callId, { patience: { takenMs: 100 } })).toEqual({ kind: 'not_taken' });

  const agent = obeying();
  const late = listener();
  late.listen(callId, agent.handler);
  await vi.waitFor(async () =>
    expect(await redis.publish(commandChannel(callId), messages[0] ?? '')).toBe(2),
  );
  expect((await send(callId, { id: 'two' })).kind).toBe('answered');
  expect(agent.asked).toHaveLength(1);
});

test('what takes long is under way, and its answer is there for who asks again', async () => {
  const callId = newCallId();
  const finished = Promise.withResolvers<CommandAnswer>();
  listener().listen(callId, async () => finished.promise);
  expect(await send(callId, { patience: { answeredMs: 100 } })).toEqual({ kind: 'under_way' });
  finished.resolve(DONE);
  expect(await send(callId)).toEqual({ kind: 'answered', answer: DONE });
});

test('an agent that fails says so, without its reason', async () => {
  const callId = newCallId();
  listener().listen(callId, async () => {
    throw new Error('+12025550123');
  });
  const sent = await send(callId);
  expect(sent).toMatchObject({ answer: { state: 'refused', cause: 'failed' } });
  expect(JSON.stringify(sent)).not.toContain('2025550123');
});

test('calls of one process share a connection, and hear only what is theirs', async () => {
  const [first, second] = [newCallId(), newCallId()];
  const connect = vi.fn(client);
  const both = new CommandListener({ redis, connect, log });
  opened.push(() => both.close());
  const [one, two] = [obeying(), obeying()];
  both.listen(first, one.handler);
  const release = both.listen(second, two.handler);
  await send(first);
  await send(second);
  expect([one.asked.length, two.asked.length]).toEqual([1, 1]);
  release();
  release();
  await vi.waitFor(async () => expect(await redis.publish(commandChannel(second), 'x')).toBe(0));
  expect((await send(first, { id: 'two' })).kind).toBe('answered');
  expect(connect).toHaveBeenCalledOnce();
});

test('what is no command, or has no record, is not carried out', async () => {
  const callId = newCallId();
  const agent = obeying();
  listener().listen(callId, agent.handler);
  const channel = commandChannel(callId);
  await vi.waitFor(async () => expect(await redis.publish(channel, 'no JSON')).toBe(1));
  await redis.publish(channel, JSON.stringify({ id: 'x', command: { kind: 'explode' } }));
  await redis.publish(channel, JSON.stringify({ id: 'never sent', command: KEYS }));
  await send(callId);
  expect(agent.asked).toHaveLength(1);
});
