import type { JobRequest } from '@livekit/agents';
import { ParticipantInfo_Kind } from '@livekit/protocol';
import type { RoomServiceClient } from 'livekit-server-sdk';
import type { CallId } from '../call/call-id.ts';
import { jobMetadataSchema } from '../call/job-metadata.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/**
 * From the moment at which a job is accepted, livekit-server has this long to assign it (the framework's
 * own limit is 7.5 s); then it went elsewhere.
 */
const ASSIGNMENT_MS = 10_000;

const AGENT_KIND: number = ParticipantInfo_Kind.AGENT;

/**
 * Which calls this worker takes. livekit-server hears of the load only every 2.5 s, so the limit is held
 * here, where each call is asked for.
 */
export class CallSlots {
  readonly #capacity: number;
  readonly #running: () => readonly { id: string; room: string }[];
  readonly #rooms: Pick<RoomServiceClient, 'listParticipants'>;
  readonly #log: Log;
  readonly #onRefused: () => void;
  /** Accepted and not running yet, by job id. */
  readonly #accepted = new Map<string, { room: string; at: number }>();
  #draining = false;

  constructor(options: {
    capacity: number;
    running: () => readonly { id: string; room: string }[];
    rooms: Pick<RoomServiceClient, 'listParticipants'>;
    log: Log;
    onRefused?: () => void;
  }) {
    this.#capacity = options.capacity;
    this.#running = options.running;
    this.#rooms = options.rooms;
    this.#log = options.log;
    this.#onRefused = options.onRefused ?? (() => undefined);
  }

  /** Calls that run or are about to. */
  get taken(): number {
    return this.#running().length + this.#pending().length;
  }

  /** From 0 to 1, full; what livekit-server is told. */
  get load(): number {
    return this.#draining ? 1 : Math.min(1, this.taken / this.#capacity);
  }

  /** From now on every call is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Answers livekit-server's question whether this worker takes a call. */
  async answer(request: JobRequest): Promise<void> {
    const room = request.room?.name ?? '';
    const call = callOf(request);
    if (this.#draining || this.taken >= this.#capacity || (await this.#hasAgent(room, call))) {
      this.#log.info({ ...call, job: request.id, taken: this.taken }, 'call refused');
      this.#onRefused();
      await request.reject();
      return;
    }
    this.#accepted.set(request.id, { room, at: Date.now() });
    await request.accept();
  }

  /**
   * After a restart of livekit-server the dispatch rule of a room asks for a second agent, which would talk
   * over the first.
   */
  async #hasAgent(room: string, call: { call?: CallId }): Promise<boolean> {
    const ours = [...this.#running(), ...this.#pending()];
    if (ours.some((call) => call.room === room)) return true;
    try {
      const participants = await this.#rooms.listParticipants(room);
      return participants.some(({ kind }: { kind: number }) => kind === AGENT_KIND);
    } catch (thrown) {
      this.#log.warn({ err: asError(thrown), ...call }, 'could not look for an agent in the room');
      return false;
    }
  }

  #pending(): { id: string; room: string }[] {
    const running = new Set(this.#running().map(({ id }) => id));
    for (const [id, { at }] of this.#accepted) {
      if (running.has(id) || Date.now() - at > ASSIGNMENT_MS) this.#accepted.delete(id);
    }
    return [...this.#accepted].map(([id, { room }]) => ({ id, room }));
  }
}

/** The call of a job, for the log; an inbound one has no id before somebody takes it. */
function callOf(request: JobRequest): { call?: CallId } {
  try {
    const metadata = jobMetadataSchema.parse(JSON.parse(request.job.metadata));
    return metadata.direction === 'outbound' ? { call: metadata.callId } : {};
  } catch {
    return {};
  }
}
