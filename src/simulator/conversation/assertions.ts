/** One thing that was checked, with the figures where there are any. */
export type Check = { ok: boolean; what: string };

/** The words of a text as far as speech tells them apart: no case, no punctuation. */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’']/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/**
 * How what was heard so far stands to what must be said: the whole of it, its beginning, or something
 * else.
 */
export function compareWords(
  heard: readonly string[],
  expected: readonly string[],
): 'whole' | 'beginning' | 'different' {
  if (heard.length > expected.length) return 'different';
  if (heard.some((word, index) => word !== expected[index])) return 'different';
  return heard.length === expected.length ? 'whole' : 'beginning';
}

/** Whether a time kept its limit: "answered after 612 ms (at most 1,000)". */
export function checkLimit(what: string, measuredMs: number, limitMs: number): Check {
  return {
    ok: measuredMs <= limitMs,
    what: `${what} ${formatMs(measuredMs)} (at most ${formatMs(limitMs)})`,
  };
}

/** Whether a value is the expected one; nothing is checked where none was expected. */
export function checkSame(
  what: string,
  actual: string | number | boolean | undefined,
  expected: string | number | boolean | undefined,
): Check[] {
  if (expected === undefined) return [];
  const ok = actual === expected;
  return [
    { ok, what: ok ? `${what}: ${expected}` : `${what}: ${actual ?? 'unknown'}, not ${expected}` },
  ];
}

export function formatMs(durationMs: number): string {
  return `${Math.round(durationMs).toLocaleString('en')} ms`;
}
