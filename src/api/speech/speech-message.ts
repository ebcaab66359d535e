/** What one turn is to be done with. */
export type TurnRequest = {
  /** Key of the personality. */
  personality: string;
  /** Instead of the personality's prompt or after it, as the personality says. */
  prompt?: string;
  variables: Record<string, string | number | boolean>;
};

/** How long the stages of a turn took, in ms. */
type TurnTimings = {
  decode: number;
  stt: number;
  llm_first_token: number;
  llm: number;
  tts_first_byte: number;
  tts: number;
};

export type TurnResult = {
  heard: string;
  /** Length of the sound that was heard, in ms. */
  heardMs: number;
  reply: string;
  /** A WAV file: mono, signed 16 bit. */
  sound: Uint8Array;
  soundMs: number;
  timings: TurnTimings;
};

/** Why there is no result. */
type FailureKind =
  | 'unknown_format'
  | 'broken_sound'
  | 'too_long'
  | 'nothing_heard'
  | 'vendor_failed'
  /** The prompt lacks variables. */
  | 'no_prompt'
  /** The fault is ours; trying again may help. */
  | 'lost';
export type TurnFailure = { kind: FailureKind; detail: string };

/** From the api to the process that hears, thinks and speaks. `id` tells the turns of one process apart. */
export type ToSpeech =
  | { case: 'sound'; id: number; chunk: Uint8Array }
  /** The sound is complete. */
  | { case: 'answer'; id: number; request: TurnRequest }
  | { case: 'cancel'; id: number };

/** And back. */
export type FromSpeech =
  | { case: 'ready' }
  | { case: 'result'; id: number; result: TurnResult }
  | { case: 'failure'; id: number; failure: TurnFailure };

/** Thrown where a turn cannot be done, and why is known. */
export class TurnError extends Error {
  readonly failure: TurnFailure;
  constructor(kind: TurnFailure['kind'], detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'TurnError';
    this.failure = { kind, detail };
  }
}
