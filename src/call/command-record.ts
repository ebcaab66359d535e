import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';
import { commandAnswerSchema, type CommandAnswer } from './call-command.ts';

/**
 * Where a command stands; whoever moves it does so alone, so that it is carried out at most once.
 *
 *   sent ── the agent takes it ──▶ running ── finish ──▶ answered
 *    │ ▲
 *    ▼ └── asked again under the same id
 *   withdrawn (nobody took it in time: nothing was done, and nothing will be)
 */
type CommandState = 'sent' | 'running' | 'withdrawn' | 'answered';

export type CommandRecord = {
  /** Of what was asked: another one under the same id is a mistake. */
  hash: string;
  state: CommandState;
  answer: CommandAnswer | undefined;
};

const LIFETIME_MS = 86_400_000;

/** Makes the record of a command, or finds the one that there is. */
export async function openCommand(
  redis: Redis,
  callId: CallId,
  id: string,
  hash: string,
): Promise<CommandRecord> {
  await redis.eval(OPEN, 1, commandKey(callId, id), hash, LIFETIME_MS);
  const record = await readCommand(redis, callId, id);
  if (!record) throw new Error('the record of a command is gone');
  return record;
}

export async function readCommand(
  redis: Redis,
  callId: CallId,
  id: string,
): Promise<CommandRecord | undefined> {
  const { hash, state, answer } = await redis.hgetall(commandKey(callId, id));
  if (hash === undefined || state === undefined) return undefined;
  return {
    hash,
    state: state as CommandState,
    answer: answer === undefined ? undefined : commandAnswerSchema.parse(JSON.parse(answer)),
  };
}

/** Moves a command on. False: it stands elsewhere, or there is none. */
export async function moveCommand(
  redis: Redis,
  callId: CallId,
  id: string,
  from: CommandState,
  to: CommandState,
): Promise<boolean> {
  return (await redis.eval(MOVE, 1, commandKey(callId, id), from, to)) === 1;
}

/** For the one that moved the command to `running`. */
export async function finishCommand(
  redis: Redis,
  callId: CallId,
  id: string,
  answer: CommandAnswer,
): Promise<void> {
  await redis.hset(commandKey(callId, id), 'state', 'answered', 'answer', JSON.stringify(answer));
}

const OPEN = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'state', 'sent')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
`;

const MOVE = `
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
return 1
`;

function commandKey(callId: CallId, id: string): string {
  return `trunkline:command:${callId}:${id}`;
}
