import type { APIConnectOptions, voice } from '@livekit/agents';
import type { TurnSettings } from '../personality/personality.ts';
import type { WordsDetector } from './turn-taking/words-detector.ts';

/** A transcript comes within this after the caller's voice; a cough has none. */
const NO_WORDS_MS = 500;

/** How long a voice may be silent, and how often it is asked again. */
export const TTS_CONNECTION: APIConnectOptions = {
  maxRetry: 1,
  retryIntervalMs: 200,
  timeoutMs: 4000,
};

/**
 * How the framework's session takes turns and deals with vendors.
 *
 * Nothing here needs LiveKit's cloud: the end of a turn is decided by the voice activity detector (or the
 * STT) and the transcript, an interruption by the detector alone.
 *
 * @param words who judges by the words whether a turn is over, where that is asked for
 */
export function sessionOptions(
  turn: TurnSettings,
  words: WordsDetector | undefined,
): voice.AgentSessionOptions {
  return {
    turnHandling: {
      turnDetection: words ?? (turn.detection === 'stt' ? 'stt' : 'vad'),
      endpointing: { mode: 'fixed', minDelay: turn.minDelayMs, maxDelay: turn.maxDelayMs },
      interruption: {
        enabled: turn.interruptions,
        mode: 'vad',
        minDuration: turn.interruptionMinDurationMs,
        minWords: turn.interruptionMinWords,
        // The agent pauses at the first sound of a voice, and goes on where no words follow.
        falseInterruptionTimeout: NO_WORDS_MS,
        resumeFalseInterruption: true,
      },
      preemptiveGeneration: {
        enabled: turn.preemptiveGeneration,
        preemptiveTts: turn.preemptiveTts,
      },
    },
    // Telephones cancel their own echo; warming up would ignore the caller for the first seconds.
    aecWarmupDuration: null,
    userAwayTimeout: null,
    connOptions: {
      sttConnOptions: { maxRetry: 3, retryIntervalMs: 1000, timeoutMs: 5000 },
      llmConnOptions: { maxRetry: 1, retryIntervalMs: 200, timeoutMs: 4000 },
      ttsConnOptions: TTS_CONNECTION,
      // The first failure that outlasts its retries ends the call (`vendor-watch.ts`), but not the session,
      // which still has to say so.
      maxUnrecoverableErrors: Number.MAX_SAFE_INTEGER,
    },
  };
}
