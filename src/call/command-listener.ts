import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import {
  commandChannel,
  commandMessageSchema,
  type CallCommand,
  type CommandAnswer,
} from './call-command.ts';
import type { CallId } from './call-id.ts';
import { finishCommand, moveCommand } from './command-record.ts';

export type CommandHandler = (command: CallCommand) => Promise<CommandAnswer>;

/** Takes the commands for the calls of one process, over one connection however many they are. */
export class CommandListener {
  readonly #redis: Redis;
  readonly #connect: () => Redis;
  readonly #log: Log;
  readonly #handlers = new Map<string, { callId: CallId; handler: CommandHandler }>();
  #subscriber: Redis | undefined;

  /** @param options.connect a patient client that nobody else uses: one that listens can do nothing else */
  constructor(options: { redis: Redis; connect: () => Redis; log: Log }) {
    this.#redis = options.redis;
    this.#connect = options.connect;
    this.#log = options.log;
  }

  /** Listens for a call's commands; waits for nothing. Returns the function that ends it. */
  listen(callId: CallId, handler: CommandHandler): () => void {
    const channel = commandChannel(callId);
    const entry = { callId, handler };
    this.#handlers.set(channel, entry);
    const subscriber = this.#listening();
    subscriber.subscribe(channel).catch((thrown: unknown) => this.#failed(callId, thrown));
    return () => {
      if (this.#handlers.get(channel) !== entry) return;
      this.#handlers.delete(channel);
      subscriber.unsubscribe(channel).catch((thrown: unknown) => this.#failed(callId, thrown));
    };
  }

  close(): void {
    this.#handlers.clear();
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
  }

  #listening(): Redis {
    if (this.#subscriber) return this.#subscriber;
    const subscriber = this.#connect();
    subscriber.on('message', (channel: string, text: string) => {
      const entry = this.#handlers.get(channel);
      if (entry) {
        this.#take(entry, text).catch((thrown: unknown) => this.#failed(entry.callId, thrown));
      }
    });
    this.#subscriber = subscriber;
    return subscriber;
  }

  async #take(
    { callId, handler }: { callId: CallId; handler: CommandHandler },
    text: string,
  ): Promise<void> {
    const { success, data } = commandMessageSchema.safeParse(jsonOf(text));
    if (!success) {
      this.#log.warn({ call: callId }, 'a command that this version does not know');
      return;
    }
    const { id, command } = data;
    if (!(await moveCommand(this.#redis, callId, id, 'sent', 'running'))) return;
    const { kind } = command;
    this.#log.info({ call: callId, command: kind }, 'took a command');
    let answer: CommandAnswer;
    try {
      answer = await handler(command);
    } catch (thrown) {
      this.#log.error({ call: callId, command: kind, err: asError(thrown) }, 'a command failed');
      answer = {
        state: 'refused',
        cause: 'failed',
        reason: 'The agent could not do it; its log tells why.',
      };
    }
    await finishCommand(this.#redis, callId, id, answer);
  }

  #failed(callId: CallId, thrown: unknown): void {
    // A listener that was closed has nothing to lose any more.
    if (!this.#subscriber) return;
    this.#log.warn({ call: callId, err: asError(thrown) }, 'could not listen for commands');
  }
}

/** What cannot be read must not be logged either: it may hold digits. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
