/** `over`: answered, and the worker's from now on, or ended. `again`: to be taken up after `waitMs`. */
export type Progress = { kind: 'over' } | { kind: 'again'; waitMs: number };

export const over: Progress = { kind: 'over' };

/** For another run, perhaps in another process, to take the call over. */
export const handOver: Progress = { kind: 'again', waitMs: 200 };
