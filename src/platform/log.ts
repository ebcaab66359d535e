import pino from 'pino';
import { maskNumbers } from './mask.ts';

export type Log = pino.Logger;

/**
 * The process's logger: JSON lines on standard output, ISO times, numbers masked in whatever is written.
 * Messages are static text; what varies goes into fields. Transcripts, prompts and keys are never logged.
 */
export function createLog(name: string, level: string): Log {
  return pino({
    name,
    // What is not a level is the configuration's to report, in its own words and with the other problems.
    level: level in pino.levels.values ? level : 'info',
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: maskNumbers },
  });
}
