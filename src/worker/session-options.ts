import type { voice } from '@livekit/agents';
import type { TurnSettings } from '../personality/personality.ts';

/**
 * How the framework's session takes turns and deals with vendors.
 *
 * Nothing here needs LiveKit's cloud: the end of a turn is decided by the voice activity detector (or the
 * STT) and the transcript, an interruption by the detector alone.
 */
export function sessionOptions(turn: TurnSettings): voice.AgentSessionOptions {
  return {
    turnHandling: {
      turnDetection: turn.detection,
      endpointing: { mode: 'fixed', minDelay: turn.minDelayMs, maxDelay: turn.maxDelayMs },
      interruption: {
        enabled: turn.interruptions,
        mode: 'vad',
        minDuration: turn.interruptionMinDurationMs,
        minWords: turn.interruptionMinWords,
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
      ttsConnOptions: { maxRetry: 1, retryIntervalMs: 200, timeoutMs: 4000 },
      // The first failure that outlasts its retries ends the call (`vendor-watch.ts`), but not the session,
      // which still has to say so.
      maxUnrecoverableErrors: Number.MAX_SAFE_INTEGER,
    },
  };
}
