import type { Part } from './vendor-watch.ts';

/** What shows that something is wrong within a call, however its callers put it. */
export type CallSign =
  /** No sound at all comes from the far end: not even silence. */
  | 'caller_soundless'
  /** The agent believes that it speaks, and nothing can be heard. */
  | 'agent_soundless'
  | `${Part}_failed`;
