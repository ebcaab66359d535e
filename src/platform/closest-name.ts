/** The known name that a misspelt one most likely means, or undefined where none is near. */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance <= limit && (!best || distance < best.distance)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** Case and separators are what people get wrong most: `maxDuration` for `max_duration`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/** Levenshtein distance of two short names, with two letters swapped counted as one mistake. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const substitution = (last[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      let distance = Math.min((last[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1, substitution);
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j]) {
        distance = Math.min(distance, (beforeLast[j - 1] ?? 0) + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
