/** A text as speech tells it: words without case and punctuation. */
function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? []
  );
}

/**
 * How well a message agrees with a line that may be broken off, merged with earlier ones, or misheard:
 * 1 the same, 0 something else.
 */
export function agreement(line: string, message: string): number {
  const expected = wordsOf(line);
  const given = wordsOf(message);
  if (expected.length === 0 || given.length === 0) return 0;
  if (isTail(expected, given)) return expected.length === given.length ? 1 : 0.95;
  const common = longestCommonSubsequence(expected, given);
  // Cut off: all that was said belongs to the line, and it is a good part of it.
  if (common === given.length && common >= expected.length / 2) return 0.7;
  return common / Math.max(expected.length, given.length) >= 0.75 ? 0.6 : 0;
}

/** Whether `told`, as far as it goes, is what an interrupted speaker said of `line`. */
export function agreesAsFarAsItGoes(line: string, told: string): boolean {
  const whole = wordsOf(line);
  const part = wordsOf(told);
  return isHead(part, whole) || isHead(whole, part) || agreement(line, told) > 0;
}

function isHead(head: readonly string[], words: readonly string[]): boolean {
  return (
    head.length > 0 && head.length <= words.length && head.every((word, at) => word === words[at])
  );
}

function isTail(tail: readonly string[], words: readonly string[]): boolean {
  const offset = words.length - tail.length;
  return offset >= 0 && tail.every((word, at) => word === words[offset + at]);
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const word of a) {
    const next = [0];
    for (const [at, other] of b.entries()) {
      next.push(word === other ? row[at]! + 1 : Math.max(row[at + 1]!, next[at]!));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
