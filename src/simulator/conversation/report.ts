import { maskNumbers } from '../../platform/mask.ts';
import type { LegEnd } from '../leg.ts';
import { formatMs, type Check } from './assertions.ts';

/** Something that was said on the line. Times in ms since the answer. */
export type SpokenLine = {
  who: 'caller' | 'agent';
  /** Of the agent: what was recognised from the sound; null where it is no line that anybody knows. */
  text: string | null;
  startedAt: number;
  endedAt: number;
  /** Of what was recognised, 0 to 1. */
  confidence?: number;
  /** From the answer, or from the end of the caller's voice, to the first sound of this. */
  replyMs?: number;
  /** The share of the line that was heard, where it was not the whole: 0 to 1. */
  part?: { from: number; to: number };
  /** The caller broke in on it. */
  interrupted?: true;
};

/** What callers wait for; each is a time in ms. */
export type Measure = { name: (typeof MEASURES)[number]; ms: number };

/**
 * In the order in which people read them. What begins with `turn_` is the way of a turn, each from the end of the
 * caller's voice at the phone; `break_in_`, from where the caller's voice began.
 */
const MEASURES = [
  'dialling_to_answer',
  'order_to_answer',
  'answer_to_first_word',
  'turn_last_sound_at_stt',
  'turn_transcript',
  'turn_decided',
  'turn_llm_first_token',
  'turn_tts_first_sound',
  'turn_first_sound_sent',
  'caller_to_reply',
  'break_in_first_sound_at_stt',
  'break_in_obeyed',
  'break_in_to_silence',
] as const;

export function inOrder(measures: readonly Measure[]): Measure[] {
  return measures.toSorted((a, b) => MEASURES.indexOf(a.name) - MEASURES.indexOf(b.name));
}

export type CallReport = {
  label: string;
  passed: boolean;
  direction: 'inbound' | 'outbound';
  /** From dialling, or from the order, to the answer. */
  answeredAfterMs?: number;
  lines: SpokenLine[];
  measures: Measure[];
  /** Hesitant turns of the caller, and in how many of them the agent began to speak before their end. */
  hesitations?: number;
  cutIns?: number;
  checks: Check[];
  end?: LegEnd;
  /** Opaque id of the ledger. */
  callId?: string;
};

export type ConversationReport = {
  name: string;
  passed: boolean;
  durationMs: number;
  calls: CallReport[];
};

/** What happens in a conversation, while it happens; `text` is the line that people read. */
export type Progress = { call: string; text: string } & (
  | { type: 'started' | 'note' }
  | { type: 'line'; line: SpokenLine }
  | { type: 'check'; check: Check }
);

/** One line of the answer of `POST /simulator/conversations`. */
export type ConversationEvent =
  | Progress
  | { type: 'recording'; call: string; wavBase64: string }
  | { type: 'report'; text: string; report: ConversationReport };

export function lineProgress(call: string, line: SpokenLine): Progress {
  const from = (line.startedAt / 1000).toFixed(2).padStart(7);
  const words = line.text === null ? '(speech that is no known line)' : `“${line.text}”`;
  const notes = [
    ...(line.replyMs === undefined ? [] : [`after ${formatMs(line.replyMs)}`]),
    ...(line.part ? [`only ${percent(line.part.from)} to ${percent(line.part.to)}`] : []),
    ...(line.interrupted ? ['interrupted'] : []),
    ...(line.confidence === undefined
      ? []
      : [`recognised from the sound, ${percent(line.confidence)}`]),
  ];
  const remark = notes.length > 0 ? `  [${notes.join(' · ')}]` : '';
  return { type: 'line', call, line, text: `${from} s  ${line.who.padEnd(6)}  ${words}${remark}` };
}

export function checkProgress(call: string, check: Check): Progress {
  return { type: 'check', call, check, text: `           ${check.ok ? '✓' : '✗'} ${check.what}` };
}

/** The last lines of a conversation's report: the verdict, with every reason where it is bad. */
export function summary(report: ConversationReport): string {
  const checks = report.calls.flatMap((call) => call.checks);
  const failed = report.calls.flatMap((call) =>
    call.checks
      .filter((check) => !check.ok)
      .map((check) => `  ✗ ${report.calls.length > 1 ? `${call.label}: ` : ''}${check.what}`),
  );
  const seconds = (report.durationMs / 1000).toFixed(1);
  const verdict = report.passed
    ? `✓ ${report.name}: passed, ${checks.length} checks, ${seconds} s`
    : `✗ ${report.name}: failed, ${failed.length} of ${checks.length} checks, ${seconds} s`;
  return [verdict, ...failed].join('\n');
}

/** An event as one line of NDJSON, without telephone numbers. */
export function eventLine(event: ConversationEvent): string {
  const line = JSON.stringify(event);
  // Base64 is no text; runs of digits in it are not numbers.
  return `${event.type === 'recording' ? line : maskNumbers(line)}\n`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
