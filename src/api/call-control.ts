import { createHash, createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoomServiceClient } from 'livekit-server-sdk';
import { requestCancel } from '../call/cancel-request.ts';
import type { CallCommand } from '../call/call-command.ts';
import { endCall, type EndDeps } from '../call/call-end.ts';
import type { CallId } from '../call/call-id.ts';
import { readCommand } from '../call/command-record.ts';
import { EventPublisher } from '../call/event-stream.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { CallRow } from '../call/ledger/schema.ts';
import { CANCELED, ENDED_BY_OPERATOR, REFUSED_BY_OPERATOR } from '../call/operator-ends.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { sendCommand, type CommandPatience, type Sent } from '../call/send-command.ts';
import { leaveLine } from '../call/trunk-turns.ts';
import { withoutValues } from '../platform/database-failure.ts';
import { closeRoom } from '../platform/livekit.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { refusalOf } from './command-refusal.ts';
import { ApiProblem } from './problem.ts';
import { isStorable } from './storable-body.ts';
import { transferTarget } from './transfer-target.ts';

export type ControlDeps = {
  ledger: Pick<Ledger, 'stateOf'>;
  queue: Pick<OutboundQueue, 'withdraw'>;
  /** Impatient: a request does not wait for a Redis that is away. */
  redis: Redis;
  rooms: Pick<RoomServiceClient, 'deleteRoom'>;
  trunks: readonly Trunk[];
  log: Log;
};

/** `under_way`: it is being done, and the call's timeline will tell how it went. */
export type Carried = 'done' | 'under_way';

/** How long an answer waits for what it asked for, in ms. */
export type ControlTimes = {
  /** For a dispatcher to cancel what it dials; it looks twice a second. */
  dispatcherMs: number;
  /** For an end that is published to be in the ledger. */
  ledgerMs: number;
  hangup: Partial<CommandPatience>;
};

const USUAL: ControlTimes = {
  dispatcherMs: 6000,
  ledgerMs: 4000,
  hangup: { nobodyMs: 1500, takenMs: 2500, answeredMs: 2500 },
};

const LOOK_MS = 50;
const REDIS_LIMIT_MS = 1000;

/** Beyond all waits of one request together. */
const LONGEST_MS = 25_000;

/** Between the answer of a call and its end, where a cancel came in between. */
const ANSWERED_AFTER_ALL_MS = 1500;

/** What a person or a program may do to a call. All of it ends in the ledger, which tells what really happened. */
export class CallControl {
  readonly #deps: ControlDeps;
  readonly #end: EndDeps;
  readonly #times: ControlTimes;

  constructor(deps: ControlDeps, times: ControlTimes = USUAL) {
    const { redis } = deps;
    this.#deps = deps;
    this.#times = times;
    this.#end = {
      redis,
      events: new EventPublisher(redis),
      rooms: { close: async (room) => this.#close(room) },
    };
  }

  /**
   * Ends a call at any stage: one that nobody has answered is canceled, one that is on gets BYE. Repeating it
   * changes nothing.
   *
   * @param id of either kind
   * @param say last words of the agent, spoken before
   * @returns the call as it is now; not ended yet only where the last words take their time, or the ledger does
   * @throws ApiProblem where there is no such call, it is over already, or Redis is away
   */
  async hangup(id: string, say?: string): Promise<CallRow> {
    const call = await this.#find(id);
    if (call.status === 'ended') {
      if (call.hungUpBy === 'operator') return call;
      throw over(call);
    }
    return this.#withRedis(async () => {
      if (call.direction === 'outbound' && call.status !== 'in_progress') {
        const after = await this.#cancel(call);
        if (after.status === 'ended') return after;
      }
      return this.#hangUp(call.id as CallId, say);
    });
  }

  /**
   * Ends an outbound call that nobody has answered yet, also one that is scheduled for later. Repeating it
   * changes nothing.
   *
   * @returns the call as it is now; not ended yet only where the ledger takes its time
   * @throws ApiProblem as `hangup`, and where the call came in or is answered
   */
  async cancel(id: string): Promise<CallRow> {
    const call = await this.#find(id);
    if (call.direction === 'inbound') {
      throw new ApiProblem('not-cancelable', 'An inbound call cannot be canceled; hang it up.');
    }
    const after = cancelable(call) ? await this.#withRedis(async () => this.#cancel(call)) : call;
    if (after.status === 'in_progress') {
      throw new ApiProblem(
        'not-cancelable',
        'The call was answered already; POST …/hangup ends it.',
      );
    }
    if (after.status === 'ended' && after.outcome !== 'canceled') throw over(after);
    return after;
  }

  /**
   * Sends keys to the far end (RFC 4733).
   *
   * @param digits `0-9 * # A-D`, `w` for a pause of 0.5 s, `W` for one of 1 s
   * @param key of the request: repeated with it within a day, nothing is sent twice
   * @throws ApiProblem
   */
  async sendDigits(id: string, digits: string, key: string | undefined): Promise<Carried> {
    return this.#ask(await this.#find(id), { kind: 'dtmf', digits }, key);
  }

  /**
   * Hands the call over to somebody else, by a blind transfer (REFER, RFC 3515). Refused by the far end, the
   * call goes on with the agent.
   *
   * @param to a number, or a sip: URI where the call's trunk permits its host
   * @throws ApiProblem
   */
  async transfer(id: string, to: string, key: string | undefined): Promise<Carried> {
    const call = await this.#find(id);
    const trunk = this.#deps.trunks.find(({ name }) => name === call.trunk);
    return this.#ask(call, { kind: 'transfer', to: transferTarget(to, trunk) }, key);
  }

  async #find(id: string): Promise<CallRow> {
    const call = isStorable(id) ? await this.#deps.ledger.stateOf(id) : undefined;
    if (!call) throw new ApiProblem('not-found', 'There is no call with this id.');
    return call;
  }

  /**
   * Who is first at the fence decides: where nobody has begun to dial, the end stands there from now on, whatever
   * the queue holds or has lost. Where somebody dials, the mark tells him to cancel the INVITE, unless it is
   * answered before.
   */
  async #cancel(call: CallRow): Promise<CallRow> {
    const { redis, queue, log } = this.#deps;
    const callId = call.id as CallId;
    await requestCancel(redis, callId, call.request?.notBefore);
    // An attempt that does not exist: this end yields to every attempt that dials.
    const ended = await endCall(this.#end, callId, CANCELED, { attempt: 'none' });
    if (ended !== undefined) {
      await queue.withdraw(callId);
      if (call.trunk !== null) await leaveLine(redis, call.trunk, callId);
      return this.#settled(callId, this.#times.ledgerMs);
    }
    const after = await this.#settled(callId, this.#times.dispatcherMs);
    if (after.status === 'ended' || after.status === 'in_progress') return after;
    log.warn({ call: callId }, 'no dispatcher canceled a call, so the api does');
    await endCall(this.#end, callId, CANCELED, 'anybody');
    return this.#settled(callId, this.#times.ledgerMs);
  }

  /** By the agent, which knows best; where that does not answer, without it. */
  async #hangUp(callId: CallId, say: string | undefined): Promise<CallRow> {
    const { redis, log } = this.#deps;
    const id = randomUUID();
    const command = { id, hash: '', content: { kind: 'hangup', say } as const };
    const sent = await sendCommand(redis, callId, command, this.#times.hangup);
    const taken = sent.kind === 'answered' && sent.answer.state === 'done';
    if (taken) {
      const after = await this.#settled(callId, this.#times.ledgerMs);
      if (after.status === 'ended' || say !== undefined) return after;
    }
    log.warn({ call: callId, sent: sent.kind }, 'the agent did not end a call, so the api does');
    const { answeredAt } = await this.#find(callId);
    const end = answeredAt === null ? REFUSED_BY_OPERATOR : ENDED_BY_OPERATOR;
    await endCall(this.#end, callId, end, 'anybody');
    return this.#settled(callId, this.#times.ledgerMs);
  }

  /** The call when it has ended, or is answered and stays so; or as it is when the time is over. */
  async #settled(callId: CallId, withinMs: number): Promise<CallRow> {
    let until = performance.now() + withinMs;
    let answered = false;
    for (;;) {
      const call = await this.#find(callId);
      if (call.status === 'ended' || performance.now() >= until) return call;
      if (call.status === 'in_progress' && !answered) {
        answered = true;
        until = Math.min(until, performance.now() + ANSWERED_AFTER_ALL_MS);
      }
      await sleep(LOOK_MS);
    }
  }

  async #ask(call: CallRow, content: CallCommand, key: string | undefined): Promise<Carried> {
    const { redis } = this.#deps;
    const callId = call.id as CallId;
    const command = { ...namesOf(content, key), content };
    return this.#withRedis(async () => {
      const known = key !== undefined && (await readCommand(redis, callId, command.id));
      if (!known) requireBegun(call);
      return carried(await sendCommand(redis, callId, command));
    });
  }

  /** An end that is on record is not taken back where LiveKit is away: the watchdog closes the room then. */
  async #close(room: string): Promise<void> {
    try {
      await closeRoom(this.#deps.rooms, room);
    } catch (thrown) {
      this.#deps.log.error({ err: withoutValues(thrown) }, 'could not close the room of a call');
      throw new ApiProblem(
        'unavailable',
        'The end of the call is on record, but LiveKit is away: its line is closed when that is back.',
        { retryAfterS: 5 },
      );
    }
  }

  /** @throws ApiProblem where Redis is away */
  async #withRedis<T>(act: () => Promise<T>): Promise<T> {
    if (!(await this.#redisAnswers())) throw redisAway();
    try {
      return await withinMs(LONGEST_MS, act());
    } catch (thrown) {
      if (!(thrown instanceof ApiProblem) && !(await this.#redisAnswers())) throw redisAway();
      throw thrown;
    }
  }

  async #redisAnswers(): Promise<boolean> {
    const pong = withinMs(REDIS_LIMIT_MS, this.#deps.redis.ping());
    return pong.then(
      () => true,
      () => false,
    );
  }
}

/** Neither the key of the request nor the digits can be found from what lies in Redis. */
function namesOf(content: CallCommand, key: string = randomUUID()): { id: string; hash: string } {
  const hash = createHmac('sha256', key).update(JSON.stringify(content)).digest('hex');
  return { id: createHash('sha256').update(key).digest('hex'), hash };
}

function carried(sent: Sent): Carried {
  if (sent.kind === 'under_way') return 'under_way';
  if (sent.kind === 'answered' && sent.answer.state === 'done') return 'done';
  throw refusalOf(sent);
}

function cancelable({ status }: CallRow): boolean {
  return status !== 'ended' && status !== 'in_progress';
}

/** The agent knows better than the ledger whether a call that rings is answered by now. */
function requireBegun(call: CallRow): void {
  if (call.status === 'ended') throw over(call);
  if (call.status === 'queued') {
    throw new ApiProblem('not-answered', 'The call has not begun; wait for its answer.');
  }
}

function over({ outcome }: CallRow): ApiProblem {
  return new ApiProblem('call-over', `The call has ended (${outcome ?? 'erased'}).`);
}

function redisAway(): ApiProblem {
  return new ApiProblem('unavailable', 'Redis is away, so nothing can be done to a call.', {
    retryAfterS: 5,
  });
}
