import { isValid } from 'ulid';
import { recordAction, type Actor } from '../access/audit.ts';
import { removeBrief } from '../call/call-brief.ts';
import { isCallId, type CallId } from '../call/call-id.ts';
import { forgetConversation } from '../call/conversation-memory.ts';
import { eraseFence } from '../call/dial-fence.ts';
import { eraseEvents } from '../call/erase-events.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { Applied } from '../call/ledger/record-events.ts';
import type { CallRow } from '../call/ledger/schema.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { removeRecording } from '../call/recording/finish-recording.ts';
import { recordingFile } from '../call/recording/recording-file.ts';
import { BackgroundTask } from '../platform/background-task.ts';
import { withoutValues } from '../platform/database-failure.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { ConversationFolder } from './conversation-folder.ts';

const EVERY_MS = 60_000;
const PAGE = 100;
const REDIS_LIMIT_MS = 5000;

export type EraserDeps = {
  ledger: Ledger;
  queue: OutboundQueue;
  redis: Redis;
  /** Folder of recordings. */
  recordings: string;
  /** Absent: there are no files of conversations. */
  conversations: ConversationFolder | undefined;
  /** Removes what is on its way to others about a call. */
  eraseDeliveries: (rows: WorkspaceRows, callId: string) => Promise<void>;
  log: Log;
};

/** The person is erased from the ledger; what else there is of the call could not be removed. Doing it again can. */
export class RemainsLeft extends Error {
  constructor(cause: unknown) {
    super('what remains of an erased call could not be removed', { cause: asError(cause) });
    this.name = 'RemainsLeft';
  }
}

/**
 * Removes what is known of a person in a call: from the ledger first, in one transaction, then from wherever else
 * the call has left something. Each step can be repeated, so a repeated request completes one that broke off.
 */
export class CallEraser {
  readonly #deps: EraserDeps;
  readonly #task: BackgroundTask;
  /** Erased calls of which something has arrived since, and the time of the first. */
  readonly #late = new Map<CallId, number>();

  constructor(deps: EraserDeps) {
    this.#deps = deps;
    this.#task = new BackgroundTask({
      run: async () => this.#removeWhatCameLate(),
      everyMs: EVERY_MS,
      onError: (thrown) =>
        deps.log.warn(
          { err: withoutValues(thrown) },
          'could not remove what came late of erased calls',
        ),
    });
  }

  /** Looks after what arrives of calls when they have been erased. */
  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
  }

  applied(applied: readonly Applied[]): void {
    const late = applied.filter(({ call }) => call.erasedAt !== null);
    for (const { event } of late) this.#cameLate(event.call, event.at);
    if (late.length > 0) this.#task.nudge();
  }

  #cameLate(id: CallId, at: number): void {
    this.#late.set(id, Math.min(at, this.#late.get(id) ?? at));
  }

  /** @throws RemainsLeft */
  async erase(id: string, actor: Actor): Promise<'erased' | 'not_ended' | 'unknown'> {
    const { ledger, eraseDeliveries, log } = this.#deps;
    const erasure = await ledger.erase(id, async (rows, { call, again }) => {
      await eraseDeliveries(rows, call.id);
      // A repetition changes nothing that the record does not say already.
      if (!again) await recordAction(rows, { actor, action: 'call.erase', subject: call.id });
    });
    if (erasure.kind !== 'erased') return erasure.kind;
    try {
      await this.#removeRemains(erasure.call);
    } catch (thrown) {
      const call = erasure.call.id;
      log.error({ err: withoutValues(thrown), call }, 'could not remove all of an erased call');
      throw new RemainsLeft(thrown);
    }
    return 'erased';
  }

  /**
   * Erases all calls from or to a number that have ended.
   *
   * @returns how many, and those that have not ended
   * @throws RemainsLeft
   */
  async erasePerson(number: string, actor: Actor): Promise<{ erased: number; open: string[] }> {
    const open: string[] = [];
    let erased = 0;
    let before: CallId | undefined;
    for (;;) {
      const calls = await this.#deps.ledger.list({ number, before, limit: PAGE });
      for (const { id } of calls) {
        if ((await this.erase(id, actor)) === 'not_ended') open.push(id);
        else erased += 1;
      }
      before = calls.at(-1)?.id as CallId | undefined;
      if (calls.length < PAGE) return { erased, open };
    }
  }

  async #removeRemains(call: CallRow): Promise<void> {
    const { queue, redis, conversations } = this.#deps;
    const id = call.id as CallId;
    await conversations?.remove(id);
    await this.#removeRecording(id);
    const inRedis = async () => {
      await queue.erase(id);
      await removeBrief(redis, id);
      await eraseFence(redis, id);
      await forgetConversation(redis, id);
      // A scheduled call may have been accepted long before anything happened to it.
      const from = call.dialedAt ?? call.startedAt;
      await eraseEvents(redis, id, { from, to: new Date() });
    };
    await withinMs(REDIS_LIMIT_MS, inRedis());
  }

  /** The id says where a recording would lie; what an event named is not needed, and not trusted. */
  async #removeRecording(id: CallId): Promise<void> {
    const { ledger, recordings } = this.#deps;
    if (isCallId(id) && isValid(id.slice('call_'.length).toUpperCase())) {
      await removeRecording(recordings, recordingFile(id));
    }
    await ledger.forgetRecording(id);
  }

  async #removeWhatCameLate(): Promise<void> {
    const { ledger, redis } = this.#deps;
    for (const [id, at] of this.#late) {
      // First: what comes meanwhile is late again.
      this.#late.delete(id);
      try {
        const period = { from: new Date(at), to: new Date() };
        await withinMs(REDIS_LIMIT_MS, eraseEvents(redis, id, period));
      } catch (thrown) {
        this.#cameLate(id, at);
        throw thrown;
      }
    }
    for (const { id } of await ledger.erasedRecordings()) {
      await this.#removeRecording(id as CallId);
    }
  }
}
