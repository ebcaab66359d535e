import { ParticipantInfo_Kind } from '@livekit/protocol';
import type { RoomServiceClient } from 'livekit-server-sdk';
import type { CallId } from '../call/call-id.ts';
import { jobMetadataSchema } from '../call/job-metadata.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/** From the moment at which a job is taken, livekit-server has this long to assign it; then it went elsewhere. */
const ASSIGNMENT_MS = 7500;

const AGENT_KIND: number = ParticipantInfo_Kind.AGENT;

/** A job that livekit-server offers. */
export type Offer = { id: string; room: string; metadata: string };

type Options = {
  capacity: number;
  /** Jobs that run. */
  running: () => readonly { id: string; room: string }[];
  /** Further calls for which the hosts have room. */
  vacancies: () => number;
  rooms: Pick<RoomServiceClient, 'listParticipants'>;
  log: Log;
  onRefused?: () => void;
};

/** Which calls this worker takes; a slot is taken from the moment at which a job is accepted. */
export class CallSlots {
  readonly #options: Options;
  /** Accepted and not running yet, by job id. */
  readonly #accepted = new Map<string, { room: string; at: number }>();
  #draining = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Calls that run or are about to. */
  get taken(): number {
    return this.#options.running().length + this.#pending().length;
  }

  /** Calls that it takes at a time; once it drains, those that it still has. */
  get capacity(): number {
    return this.#draining ? this.taken : this.#options.capacity;
  }

  /** From 0 to 1, full. */
  get load(): number {
    return this.#draining ? 1 : Math.min(1, this.taken / this.#options.capacity);
  }

  /** Whether the next call would be refused. */
  get full(): boolean {
    return (
      this.#draining ||
      this.taken >= this.#options.capacity ||
      this.#options.vacancies() <= this.#pending().length
    );
  }

  /** From now on every call is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Whether this worker takes a job. Where it does, a slot is kept until the job runs, or is not assigned. */
  async take(offer: Offer): Promise<boolean> {
    const { log, onRefused } = this.#options;
    const call = callOf(offer);
    // Kept at once: the next offer may come while the room is looked at.
    const kept = !this.full && !this.#hasOurs(offer.room);
    if (kept) this.#accepted.set(offer.id, { room: offer.room, at: Date.now() });
    if (kept && !(await this.#hasAgent(offer.room, call))) return true;
    this.#accepted.delete(offer.id);
    log.info({ ...call, job: offer.id, taken: this.taken }, 'call refused');
    onRefused?.();
    return false;
  }

  #hasOurs(room: string): boolean {
    const ours = [...this.#options.running(), ...this.#pending()];
    return ours.some((call) => call.room === room);
  }

  /**
   * After a restart of livekit-server the dispatch rule of a room asks for a second agent, which would talk
   * over the first.
   */
  async #hasAgent(room: string, call: { call?: CallId }): Promise<boolean> {
    const { rooms, log } = this.#options;
    try {
      const participants = await rooms.listParticipants(room);
      return participants.some(({ kind }: { kind: number }) => kind === AGENT_KIND);
    } catch (thrown) {
      log.warn({ err: asError(thrown), ...call }, 'could not look for an agent in the room');
      return false;
    }
  }

  #pending(): { id: string; room: string }[] {
    const running = new Set(this.#options.running().map(({ id }) => id));
    for (const [id, { at }] of this.#accepted) {
      if (running.has(id) || Date.now() - at > ASSIGNMENT_MS) this.#accepted.delete(id);
    }
    return [...this.#accepted].map(([id, { room }]) => ({ id, room }));
  }
}

/** The call of a job, for the log; an inbound one has no id before somebody takes it. */
function callOf(offer: Offer): { call?: CallId } {
  try {
    const metadata = jobMetadataSchema.parse(JSON.parse(offer.metadata));
    return metadata.direction === 'outbound' ? { call: metadata.callId } : {};
  } catch {
    return {};
  }
}
