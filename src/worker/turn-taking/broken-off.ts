import { voice } from '@livekit/agents';

/** How far the agent's last sentence came, and when it ended (ms since the epoch). */
export type BrokenOff = { heard: string | undefined; silentAt: number | undefined };

/**
 * Of an interrupted sentence the framework tells only through its output what had been heard, and by its state when
 * it was silent.
 */
export class LastBreakOff {
  #heard: string | undefined;
  #silentAt: number | undefined;

  /** The session is its owner's, who closes it. */
  follow(session: voice.AgentSession): void {
    session.on(voice.AgentSessionEventTypes.AgentStateChanged, ({ oldState, newState }) => {
      if (oldState === 'speaking') this.#silentAt = Date.now();
      if (newState !== 'speaking') return;
      session.output.audio?.once(
        voice.AudioOutput.EVENT_PLAYBACK_FINISHED,
        (event: voice.PlaybackFinishedEvent) => {
          this.#heard = event.interrupted ? event.synchronizedTranscript : undefined;
        },
      );
    });
  }

  /** What is known of the sentence that goes on record now; it counts for no other. */
  take(): BrokenOff {
    const found = { heard: this.#heard, silentAt: this.#silentAt };
    this.#heard = undefined;
    return found;
  }
}
