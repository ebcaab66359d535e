import { voice } from '@livekit/agents';
import type { CallEnd } from '../call/outcome.ts';

/** The vendors behind a personality, by name, for the reason of a failure. */
export type VendorNames = { stt: string; llm: string; tts: string };

export type Part = keyof VendorNames;

/**
 * Longest time from the end of a caller's turn to the first sound of the reply. The model's own retries
 * are over before it.
 */
const NO_REPLY_MS = 10_000;

const PARTS: Record<Part, string> = {
  stt: 'speech recognition',
  llm: 'language model',
  tts: 'voice',
};

/**
 * Finds vendors that fail for good or no longer answer, so that a call with them is ended and nobody waits
 * in silence.
 */
export class VendorWatch {
  readonly #vendors: VendorNames;
  readonly #onFailure: (end: CallEnd, part: Part) => void;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #modelAnswered = false;

  constructor(vendors: VendorNames, onFailure: (end: CallEnd, part: Part) => void) {
    this.#vendors = vendors;
    this.#onFailure = onFailure;
  }

  /** The session is its owner's, who closes it. */
  follow(session: voice.AgentSession): void {
    const events = voice.AgentSessionEventTypes;
    session.on(events.AgentStateChanged, ({ newState }) => this.#agentState(newState));
    session.on(events.MetricsCollected, ({ metrics }) => {
      // The model has given its whole answer.
      if (metrics.type === 'llm_metrics') this.#modelAnswered = true;
    });
    session.on(events.Error, (event) => this.#error(event));
  }

  #agentState(state: voice.AgentState): void {
    clearTimeout(this.#timer);
    if (state !== 'thinking' || this.#failed) return;
    this.#modelAnswered = false;
    this.#timer = setTimeout(() => {
      this.fail(this.#modelAnswered ? 'tts' : 'llm', 'did not answer in time');
    }, NO_REPLY_MS);
  }

  #error({ error }: voice.ErrorEvent): void {
    if (!('recoverable' in error) || error.recoverable) return;
    const part = partOf(error.type);
    if (part) this.fail(part, `failed${describe('error' in error ? error.error : undefined)}`);
  }

  /** @param problem what the vendor did, to follow its name in a sentence */
  fail(part: Part, problem: string): void {
    this.close();
    if (this.#failed) return;
    this.#failed = true;
    const reason = `The ${PARTS[part]} (${this.#vendors[part]}) ${problem}.`;
    this.#onFailure({ outcome: 'failed', reason, hungUpBy: 'system' }, part);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

function partOf(type: string): Part | undefined {
  switch (type) {
    case 'stt_error':
      return 'stt';
    case 'llm_error':
      return 'llm';
    case 'tts_error':
      return 'tts';
    default:
      return undefined;
  }
}

/** The vendor's HTTP status where there is one; its text may quote what was said, or a key. */
function describe(error: unknown): string {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : -1;
  return typeof status === 'number' && status > 0 ? ` with HTTP status ${status}` : '';
}
