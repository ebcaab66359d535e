const LOOK_MS = 1000;

/** Ends a process group at once. One that is gone already was left by nobody. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // No such group.
  }
}

/**
 * Groups whose leader died and whose members may go on to an end of their own. A group that is empty is
 * forgotten soon: its number may be somebody else's some day.
 */
export class LingeringGroups {
  readonly #leaders = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  add(leader: number): void {
    this.#leaders.add(leader);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Ends what is left. */
  kill(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const leader of this.#leaders) killGroup(leader);
    this.#leaders.clear();
  }

  #look(): void {
    for (const leader of this.#leaders) if (!hasMembers(leader)) this.#leaders.delete(leader);
    if (this.#leaders.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function hasMembers(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}
