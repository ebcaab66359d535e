import type { voice } from '@livekit/agents';
import type { SoundSample } from './sound-sample.ts';

export type SoundTimes = {
  lookMs: number;
  /** Without a packet from the far end for so long, it is told; for so long, the call is ended. */
  callerToldMs: number;
  callerEndMs: number;
  /** The same for the time that the agent speaks without anything that can be heard. */
  agentToldMs: number;
  agentEndMs: number;
};

/**
 * A phone on hold, or one that sends nothing while its owner is silent, sends no packets either, and neither is
 * a fault: minutes pass before a call is ended for it. (The personality's own `silence` limit is mostly shorter.)
 */
export const SOUND_TIMES: SoundTimes = {
  lookMs: 2500,
  callerToldMs: 15_000,
  callerEndMs: 180_000,
  agentToldMs: 4000,
  agentEndMs: 8000,
};

export type SoundWatchOptions = {
  /** What has gone over the connection so far; undefined where there is none just now. */
  sample: () => Promise<SoundSample | undefined>;
  /** Told once each time that a side falls mute. */
  onMute: (side: 'caller' | 'agent') => void;
  /** Nobody can expect it to come back. */
  onCallerDead: () => void;
  onAgentDead: () => void;
  times?: SoundTimes;
  clock?: () => number;
};

/**
 * Watches that sound goes in both directions.
 *
 *     caller:  packets come ──none for 15 s──▶ mute ──none for 3 min──▶ dead
 *                    ▲──────── a packet ─────────┘
 *     agent:   is heard ──speaks 4 s unheard──▶ mute ──speaks 8 s unheard──▶ dead
 *                    ▲─────── energy went out ──┘
 *
 * The agent's time is that in which it speaks, over all its sentences, so that several short ones of silence
 * add up.
 */
export class SoundWatch {
  readonly #options: SoundWatchOptions;
  readonly #times: SoundTimes;
  readonly #clock: () => number;
  readonly #mute = { caller: false, agent: false };
  #last: SoundSample = { packetsIn: 0, energyOut: 0 };
  /** When a packet last came, or was not to be expected. */
  #heardAt = 0;
  /** For how long the agent has spoken since it was last heard, up to `#speakingSince`. */
  #unheardMs = 0;
  #speakingSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #closed = false;

  constructor(options: SoundWatchOptions) {
    this.#options = options;
    this.#times = options.times ?? SOUND_TIMES;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Whether nothing comes from the far end at present. */
  get callerMute(): boolean {
    return this.#mute.caller;
  }

  /** From now on sound is to be expected. */
  begin(): void {
    this.#heardAt = this.#clock();
    this.#next();
  }

  agentState(state: voice.AgentState): void {
    this.#countSpeech();
    this.#speakingSince = state === 'speaking' ? this.#clock() : undefined;
  }

  /** The far end may be with somebody else, who hears music. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.#heardAt = this.#clock();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => void this.#look().finally(() => this.#next()),
      this.#times.lookMs,
    );
  }

  async #look(): Promise<void> {
    const sample = await this.#options.sample().catch(() => undefined);
    if (this.#closed) return;
    const now = this.#clock();
    this.#countSpeech();
    const last = this.#last;
    // While the room is being joined again there is nothing to be learnt, and afterwards it counts anew.
    if (sample) this.#last = sample;
    if (!sample || this.#paused || sample.packetsIn !== last.packetsIn) this.#heardAt = now;
    if (!sample || sample.energyOut !== last.energyOut) this.#unheardMs = 0;
    const { callerToldMs, callerEndMs, agentToldMs, agentEndMs } = this.#times;
    this.#judge('caller', now - this.#heardAt, callerToldMs, callerEndMs);
    this.#judge('agent', this.#unheardMs, agentToldMs, agentEndMs);
  }

  #judge(side: 'caller' | 'agent', muteMs: number, toldMs: number, endMs: number): void {
    const wasMute = this.#mute[side];
    this.#mute[side] = muteMs >= toldMs;
    if (this.#mute[side] && !wasMute) this.#options.onMute(side);
    if (muteMs < endMs) return;
    if (side === 'caller') this.#options.onCallerDead();
    else this.#options.onAgentDead();
  }

  #countSpeech(): void {
    if (this.#speakingSince === undefined) return;
    const now = this.#clock();
    this.#unheardMs += now - this.#speakingSince;
    this.#speakingSince = now;
  }
}
