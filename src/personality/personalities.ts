import path from 'node:path';
import type { Config } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { formatProblem, type FileProblem } from '../platform/yaml-file.ts';
import { folderSignature } from './folder-signature.ts';
import {
  loadPersonalities,
  type LoadedPersonalities,
  type PersonalityFolders,
} from './load-personalities.ts';
import type { Personality } from './personality.ts';

const POLL_MS = 500;

/** All personalities that can be used now. */
export interface Personalities {
  /** The newest version that was good, or undefined where there never was one. */
  get(key: string): Personality | undefined;
  list(): Personality[];
  /** What is wrong with the files now; `/health` shows it. */
  problems(): FileProblem[];
  /** Stops watching. */
  close(): void;
}

/**
 * Loads the personalities of the configuration's folders. A broken file is a problem, not an error: the
 * others work without it.
 *
 * @param options.watch pick changed files up, for calls that begin afterwards. One that breaks or vanishes
 *   keeps its last good version until the process ends.
 */
export async function openPersonalities(options: {
  config: Config;
  log: Log;
  watch: boolean;
  /** How often files are looked at, in ms. */
  pollMs?: number;
}): Promise<Personalities> {
  const { config, log } = options;
  const folders = { root: config.root, agents: config.AGENTS_DIR, prompts: config.PROMPTS_DIR };
  const shelf = new Shelf(folders, config.credentials, log);
  // Taken before the files are read, so that a change while they are read is seen as one.
  const signature = await shelf.signature();
  await shelf.load();
  const watching = options.watch
    ? watch(shelf, signature, options.pollMs ?? POLL_MS, log)
    : undefined;
  return {
    get: (key) => shelf.good.get(key),
    list: () => [...shelf.good.values()].toSorted((a, b) => a.key.localeCompare(b.key)),
    problems: () => [...shelf.problems],
    close: () => clearInterval(watching),
  };
}

/** Loads whenever the files have changed and then stayed as they are for one more look. */
function watch(shelf: Shelf, loaded: string, pollMs: number, log: Log): NodeJS.Timeout {
  let current = loaded;
  let seen = loaded;
  let busy = false;
  const look = async () => {
    const signature = await shelf.signature();
    const settled = signature === seen;
    seen = signature;
    if (!settled || signature === current) return;
    current = signature;
    await shelf.load();
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    look()
      .catch((thrown: unknown) =>
        log.error({ err: asError(thrown) }, 'could not reload personalities'),
      )
      .finally(() => {
        busy = false;
      });
  }, pollMs);
  return timer.unref();
}

/** The last good version of each personality, and what is wrong now. */
class Shelf {
  readonly good = new Map<string, Personality>();
  problems: FileProblem[] = [];
  readonly #folders: PersonalityFolders;
  readonly #credentials: Config['credentials'];
  readonly #log: Log;
  #reported = new Set<string>();
  #warnedOfFallback = new Set<string>();

  constructor(folders: PersonalityFolders, credentials: Config['credentials'], log: Log) {
    this.#folders = folders;
    this.#credentials = credentials;
    this.#log = log;
  }

  signature(): Promise<string> {
    const { root, agents, prompts } = this.#folders;
    return folderSignature([path.resolve(root, agents), path.resolve(root, prompts)]);
  }

  async load(): Promise<void> {
    const loaded = await loadPersonalities(this.#folders, this.#credentials);
    for (const [key, personality] of loaded.personalities) {
      const before = this.good.get(key);
      if (before && before.hash !== personality.hash) {
        this.#log.info({ personality: key, version: personality.hash }, 'personality changed');
      }
      this.good.set(key, personality);
    }
    this.problems = [...loaded.problems, ...this.#vanished(loaded)];
    this.#report();
    this.#warnOfFallback(loaded.fellBack);
  }

  #vanished({ keys }: LoadedPersonalities): FileProblem[] {
    return [...this.good.keys()]
      .filter((key) => !keys.has(key))
      .map((key) => ({
        file: path.join(this.#folders.agents, `${key}.yaml`),
        line: 1,
        column: 1,
        path: '',
        message: 'the file is gone; its last good version stays until the process is restarted',
      }));
  }

  /** Each problem is logged when it appears, and once more when all are mended. */
  #report(): void {
    const now = new Set(this.problems.map(formatProblem));
    for (const problem of now) {
      if (!this.#reported.has(problem)) {
        this.#log.error(
          { problem },
          'a personality or prompt has a problem; a last good version stays in use',
        );
      }
    }
    if (now.size === 0 && this.#reported.size > 0) {
      this.#log.info('all personalities are good again');
    }
    this.#reported = now;
  }

  #warnOfFallback(keys: readonly string[]): void {
    const personalities = keys.filter((key) => !this.#warnedOfFallback.has(key));
    if (personalities.length === 0) return;
    this.#warnedOfFallback = new Set([...this.#warnedOfFallback, ...personalities]);
    this.#log.warn(
      { personalities, remedy: 'set a key such as OPENAI_API_KEY, see docs/providers.md' },
      'NO VENDOR KEY IS SET: these personalities run on the SIMULATOR and take no real calls',
    );
  }
}
