import { asError, OperatorError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Check } from './assertions.ts';
import {
  checkProgress,
  lineProgress,
  type Measure,
  type Progress,
  type SpokenLine,
} from './report.ts';
import type { MeasuredTurn } from './turn-stages.ts';
import { WaitedTooLong } from './waiting.ts';

/** What is noted of one call while it goes on: every line and check, told to `tell` as they come. */
export class CallLog {
  readonly lines: SpokenLine[] = [];
  readonly measures: Measure[] = [];
  readonly checks: Check[] = [];
  /** Turns whose way through the system is to be told once the call is over. */
  readonly turns: MeasuredTurn[] = [];
  hesitations = 0;
  cutIns = 0;
  readonly #label: string;
  readonly #tell: (progress: Progress) => void;

  constructor(label: string, tell: (progress: Progress) => void) {
    this.#label = label;
    this.#tell = tell;
  }

  line(line: SpokenLine): void {
    this.lines.push(line);
    this.#tell(lineProgress(this.#label, line));
  }

  measure(name: Measure['name'], ms: number): void {
    this.measures.push({ name, ms: Math.round(ms) });
  }

  check(...checks: Check[]): void {
    for (const check of checks) {
      this.checks.push(check);
      this.#tell(checkProgress(this.#label, check));
    }
  }

  note(text: string): void {
    this.#tell({ type: 'note', call: this.#label, text: `           ${text}` });
  }

  get passed(): boolean {
    return this.checks.every((check) => check.ok);
  }
}

/** A step went wrong so that the rest of the call would mean nothing. */
export class StepFailed extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'StepFailed';
  }
}

/** A failure as a sentence of the report; what nobody foresaw goes to the log with its stack. */
export function sentenceOf(thrown: unknown, log: Log): string {
  const error = asError(thrown);
  if (error instanceof OperatorError) return [error.message, error.remedy].join(' ').trim();
  if (!(error instanceof StepFailed || error instanceof WaitedTooLong)) {
    log.error({ err: error }, 'a conversation failed');
  }
  return error.message;
}
