import type { SoundQuality } from './sound-quality.ts';
import type { LiveKitAddress } from './web-leg.ts';

/** What the bench asks of a process of WebRTC callers. */
export type WebOrder =
  /** So many callers, one after the other so far apart, who talk until they are told to stop. */
  | { case: 'crowd'; value: { livekit: LiveKitAddress; calls: number; apartMs: number } }
  /** So many short calls, so many of them at once. */
  | { case: 'soak'; value: { livekit: LiveKitAddress; calls: number; atOnce: number } }
  | { case: 'stop'; value: undefined };

/** What one caller has to tell in the end. */
export type WebCall = {
  /** From joining to the agent's first sound, ms; undefined: it was never heard. */
  firstWordMs: number | undefined;
  repliesMs: number[];
  /** How often nothing came for 8 s. */
  unanswered: number;
  /** Why the call ended before its time. */
  cut: string | undefined;
  quality: SoundQuality | undefined;
};

/** What the process tells. */
export type WebNews =
  | { case: 'joined'; value: { calls: number } }
  /** One short call of a soak is over. */
  | { case: 'done'; value: WebCall }
  | { case: 'report'; value: WebCall[] }
  | { case: 'failed'; value: string };
