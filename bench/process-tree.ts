import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's ticks of processor time a second, on every Linux that there is. */
const TICKS_PER_SECOND = 100;

/** What a tree of processes holds and has used. */
export type TreeUse = {
  processes: number;
  /** Memory in bytes; what processes share counts once among them (PSS). */
  pssBytes: number;
  /** Processor time of the tree's whole life in ms, that of children which have ended included. */
  cpuMs: number;
};

/** The processes below `roots`, and the roots: those that live, in no order. */
export function pidsOfTrees(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const parent = Number.isInteger(pid) ? statOf(pid)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set<number>();
  const visit = (pid: number) => {
    if (found.has(pid)) return;
    found.add(pid);
    for (const child of children.get(pid) ?? []) visit(child);
  };
  for (const root of roots) if (statOf(root)) visit(root);
  return [...found];
}

export function useOfTrees(roots: readonly number[]): TreeUse {
  const pids = pidsOfTrees(roots);
  return {
    processes: pids.length,
    pssBytes: pids.reduce((sum, pid) => sum + pssBytes(pid), 0),
    cpuMs: pids.reduce((sum, pid) => sum + (statOf(pid)?.cpuMs ?? 0), 0),
  };
}

/** Processor time that one process itself has used, in ms; 0 where it has ended. */
export function ownCpuMs(pid: number): number {
  return statOf(pid)?.ownCpuMs ?? 0;
}

/** proc(5), /proc/PID/stat: fields 4 (parent) and 14 to 17 (time of the process and of ended children). */
function statOf(pid: number): { parent: number; ownCpuMs: number; cpuMs: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
    const ms = 1000 / TICKS_PER_SECOND;
    const own = (user + system) * ms;
    return {
      parent: Number(fields[1]),
      ownCpuMs: own,
      cpuMs: own + (childUser + childSystem) * ms,
    };
  } catch {
    return undefined;
  }
}

function pssBytes(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
