/** Sound everywhere in the simulator: 16 kHz, mono, signed 16 bit. */
export const SAMPLE_RATE = 16_000;

/** Samples of one 20 ms frame. */
export const FRAME_SAMPLES = SAMPLE_RATE / 50;

export type LegEnd = {
  /** Who ended it: this side, or the far end. */
  by: 'local' | 'remote';
  /** SIP status where the leg ended before it was answered. */
  status?: number | undefined;
  reason: string;
};

/**
 * One end of a telephone line that the simulator holds: the SIP phone's, or a participant behind the
 * loopback trunk. The conversation engine speaks and listens through it and knows no more of the network.
 */
export interface Leg {
  /** For logs; holds no number. */
  readonly id: string;
  /** Resolves when the call is answered; rejects when it ends before. */
  readonly answered: Promise<void>;
  /** Resolves once, with how the leg ended. */
  readonly ended: Promise<LegEnd>;
  /** Sound of the far end as it arrives, in frames of 20 ms. Returns the function that stops listening. */
  onSound(listener: (frame: Int16Array) => void): () => void;
  /** Keys that the far end pressed (RFC 4733). Returns the function that stops listening. */
  onKey(listener: (key: string) => void): () => void;
  /** Plays sound towards the far end in real time; resolves when it has been sent or broken off. */
  play(sound: Int16Array, signal?: AbortSignal): Promise<void>;
  /** Presses keys towards the far end (RFC 4733). */
  press(keys: string): Promise<void>;
  /** Cuts one direction off, for tests: `send` what this side says, `receive` what it hears. */
  mute(direction: 'send' | 'receive', muted: boolean): void;
  /** Ends the leg (CANCEL or BYE, as its state demands). Resolves when it has ended; idempotent. */
  hangUp(): Promise<void>;
}

/** What `answered` rejects with where a leg ended before it was answered. */
export class UnansweredError extends Error {
  readonly end: LegEnd;
  constructor(end: LegEnd) {
    const status = end.status === undefined ? '' : ` (${end.status})`;
    super(`the call was not answered: ${end.reason}${status}`);
    this.name = 'UnansweredError';
    this.end = end;
  }
}
