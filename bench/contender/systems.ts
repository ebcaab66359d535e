import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Whose agents are measured; everything around them is the same. */
export const systems = ['trunkline', 'stock', 'python'] as const;
export type System = (typeof systems)[number];

export const systemNames: Record<System, string> = {
  trunkline: 'Trunkline',
  stock: 'agents-js, stock',
  python: 'agents (Python), stock',
};

/** The Python of an environment with livekit-agents; `bench/python/requirements.txt` names what it needs. */
export function pythonProgram(): string {
  const usual = path.join(homedir(), '.cache/trunkline/bench-python');
  return path.join(process.env.BENCH_PYTHON ?? usual, 'bin/python');
}

/** Why a system cannot be measured here; undefined where it can. */
export function missing(system: System): string | undefined {
  if (system !== 'python' || existsSync(pythonProgram())) return undefined;
  return 'livekit-agents is not installed for Python: docs/benchmarks.md says how';
}
