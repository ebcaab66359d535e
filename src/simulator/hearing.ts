import type { Match } from './alignment.ts';
import { LINE_HOP_MS, type KnownLine } from './known-lines.ts';

/** What the ears understood of a stretch of sound. */
export type Heard = {
  /** The known line; null: something sounded that is no known line. */
  text: string | null;
  /** ms of stream time */
  startedAt: number;
  endedAt: number;
  /** 0 to 1 */
  confidence: number;
  /** Whether the whole line was heard, from its beginning to its end. */
  complete: boolean;
  /** The share of the line that was heard, as fractions of its duration: 0 to 1. */
  heardFrom: number;
  heardTo: number;
};

/** A line that is being heard. */
export type Progress = { text: string; heardTo: number };

/** At most this much of a line's sound may be missing at an end for the line to be complete. */
const EDGE_MS = 150;
/** … and of a short line at most this share. */
const EDGE_SHARE = 0.25;
/** A fragment must be this long to be told from chance. */
const FRAGMENT_MS = 450;
/** So much sound of the rest of a line cannot go unheard. */
const RESUMED_MS = 80;
const SHORT_LINE_MS = 700;
const CONFIDENCE = 0.76;
const SHORT_CONFIDENCE = 0.82;
/** Of two that explain the sound about equally well, the one that is complete was spoken. */
const COMPLETE_BONUS = 0.5;

/** The match that explains most of what sounded. */
export function choose(matches: readonly Match[]): Match | undefined {
  let best: Match | undefined;
  let most = 0;
  for (const match of matches) {
    const score = match.score + (isComplete(match) ? COMPLETE_BONUS : 0);
    if (score > most) [best, most] = [match, score];
  }
  return best;
}

/** Whether a match is more than chance: a whole line, or a fragment long enough to be told. */
export function isCredible(match: Match): boolean {
  const enough = isComplete(match) || heardMs(match) >= FRAGMENT_MS;
  return enough && isConfident(match);
}

/** Whether the sound agrees with the line, however little of it has been heard. */
export function isConfident(match: Match): boolean {
  return match.confidence >= (heardMs(match) < SHORT_LINE_MS ? SHORT_CONFIDENCE : CONFIDENCE);
}

/** What a match means. */
export function heardOf(match: Match): Heard {
  return {
    text: match.line.text,
    startedAt: match.startedAt,
    endedAt: match.endedAt,
    confidence: match.confidence,
    complete: isComplete(match),
    heardFrom: match.from / match.line.frames,
    heardTo: Math.min(1, (match.to + 1) / match.line.frames),
  };
}

/** When the line's next sound must have come if it goes on, pauses included; undefined: it has ended. */
export function resumesAt({ line, to, endedAt }: Match): number | undefined {
  for (let frame = to + 1; frame < line.frames; frame += 1) {
    if (soundMs(line, to + 1, frame + 1) > RESUMED_MS) {
      return endedAt + (frame - to) * LINE_HOP_MS;
    }
  }
  return undefined;
}

function heardMs(match: Match): number {
  return soundMs(match.line, match.from, match.to + 1);
}

function isComplete({ line, from, to }: Match): boolean {
  const edge = Math.min(EDGE_MS, EDGE_SHARE * soundMs(line, 0, line.frames));
  return soundMs(line, 0, from) <= edge && soundMs(line, to + 1, line.frames) <= edge;
}

/** Weighted sound of a line between two frames, ms. */
function soundMs(line: KnownLine, from: number, to: number): number {
  return (line.weightBefore[to]! - line.weightBefore[from]!) * LINE_HOP_MS;
}
