import type { Finding } from '../../../trunk/plan.ts';

/** Findings as lines for a terminal, problems first. */
export function findingLines(findings: readonly Finding[]): string[] {
  const rank = { problem: 0, note: 1 } as const;
  return findings
    .toSorted((a, b) => rank[a.severity] - rank[b.severity])
    .flatMap(({ message, remedy, severity, trunk }) => [
      `${severity === 'problem' ? 'PROBLEM' : 'note'}${trunk === undefined ? '' : ` [${trunk}]`}: ${message}`,
      ...(remedy === undefined ? [] : [`  → ${remedy}`]),
    ]);
}
