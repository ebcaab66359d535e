/** A call that has lost so many agents on one worker is left to another. */
const MOST_TAKE_OVERS = 3;

/** The identity of a job's first agent. */
export function firstRun(jobId: string): string {
  return `agent-${jobId}`;
}

/** The identity of the agent that follows a lost one, or undefined where this worker has tried often enough. */
export function nextRun(run: string): string | undefined {
  const [, first = run, count = '0'] = /^(.*?)(?:-(\d+))?$/.exec(run) ?? [];
  const next = Number(count) + 1;
  return next > MOST_TAKE_OVERS ? undefined : `${first}-${next}`;
}
