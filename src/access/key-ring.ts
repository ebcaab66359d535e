import { timingSafeEqual } from 'node:crypto';
import { and, eq, isNull, lt, or } from 'drizzle-orm';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { digestOf, isApiKey } from './api-key.ts';
import type { Actor } from './audit.ts';
import { apiKeys, type ApiKeyRow } from './schema.ts';
import type { Scope } from './scope.ts';

/** Whoever a key belongs to, and what it permits. */
export type Holder = Actor & {
  scopes: readonly Scope[];
  /** Requests a minute; null: as many as come. */
  rateLimit: number | null;
};

/** Why a key is nobody's. Only who has the key is told that it expired or was revoked. */
export type Refusal = 'unknown' | 'expired' | 'revoked';

/** Thrown where the database is away and the key was not seen before. */
export class KeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('the keys cannot be looked up', { cause });
    this.name = 'KeysUnavailable';
  }
}

const ROOT: Holder = { id: 'root', name: 'API_KEY', scopes: ['manage'], rateLimit: null };

/** For so long another api may go on to accept a key that was revoked here. */
const FRESH_MS = 5000;
/** For so long a key that was seen is good while the database is away. */
const STALE_MS = 60 * 60_000;
const LOOKUP_MS = 2000;
/** After a failure the database is left alone for so long, so that not each request waits for it. */
const PAUSE_MS = 2000;
const NOTE_USE_MS = 60_000;
const MOST_KNOWN = 10_000;

type Known = { row: ApiKeyRow | undefined; asOf: number };

/**
 * Tells whose key one is. The key of the configuration needs no database; what the others are is remembered for some
 * seconds, and for an hour while the database is away.
 */
export class KeyRing {
  readonly #root: Buffer;
  readonly #rows: WorkspaceRows;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  /** Kept apart, so that guesses do not push out what is known. */
  readonly #unknown = new Map<string, Known>();
  readonly #lookups = new Map<string, Promise<ApiKeyRow | undefined>>();
  readonly #usedAt = new Map<string, number>();
  readonly #writes = new Set<Promise<void>>();
  #pausedUntil = 0;
  #generation = 0;

  constructor(deps: { rootKey: string; rows: WorkspaceRows; log: Log }) {
    this.#root = digestOf(deps.rootKey);
    this.#rows = deps.rows;
    this.#log = deps.log;
  }

  /**
   * The holder of a key, or why there is none. Keys are compared by their digests, which all have one length: the
   * time that it takes tells nothing about a key.
   *
   * @throws KeysUnavailable
   */
  async identify(key: string): Promise<Holder | Refusal> {
    const digest = digestOf(key);
    if (timingSafeEqual(digest, this.#root)) return ROOT;
    if (!isApiKey(key)) return 'unknown';
    const row = await this.#find(digest.toString('hex'));
    if (!row) return 'unknown';
    if (row.revokedAt) return 'revoked';
    if (isOver(row.expiresAt)) return 'expired';
    this.#noteUse(row);
    return { id: row.id, name: row.name, scopes: row.scopes, rateLimit: row.rateLimit };
  }

  /**
   * Whether the key of this id is good still, for what lasts longer than a request.
   *
   * @throws KeysUnavailable
   */
  async stillHolds(id: string): Promise<boolean> {
    if (id === ROOT.id) return true;
    try {
      const lookup = this.#rows.select(apiKeys, { where: eq(apiKeys.id, id), limit: 1 });
      const [row] = await withinMs(LOOKUP_MS, lookup);
      return row !== undefined && !row.revokedAt && !isOver(row.expiresAt);
    } catch (thrown) {
      throw new KeysUnavailable(thrown);
    }
  }

  /** Looks a key up again before it is accepted the next time. */
  forget(hash: string): void {
    this.#generation += 1;
    this.#known.delete(hash);
    this.#unknown.delete(hash);
    this.#lookups.delete(hash);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await Promise.all(this.#writes);
  }

  async #find(hash: string): Promise<ApiKeyRow | undefined> {
    const known = this.#known.get(hash) ?? this.#unknown.get(hash);
    const age = known ? Date.now() - known.asOf : Infinity;
    if (age < FRESH_MS) return known?.row;
    try {
      if (Date.now() < this.#pausedUntil) throw new Error('the database was away just now');
      return await withinMs(LOOKUP_MS, this.#lookUp(hash));
    } catch (thrown) {
      if (Date.now() >= this.#pausedUntil) {
        this.#pausedUntil = Date.now() + PAUSE_MS;
        this.#log.warn({ err: asError(thrown) }, 'keys cannot be looked up');
      }
      if (known?.row && age < STALE_MS) return known.row;
      throw new KeysUnavailable(thrown);
    }
  }

  /** Requests that come at once with one key ask once. */
  async #lookUp(hash: string): Promise<ApiKeyRow | undefined> {
    const running = this.#lookups.get(hash);
    if (running) return running;
    const generation = this.#generation;
    const lookup = this.#rows
      .select(apiKeys, { where: eq(apiKeys.hash, hash), limit: 1 })
      .then(([row]) => {
        // What was asked before a revocation may be what was true before it.
        if (generation === this.#generation) this.#remember(hash, row);
        return row;
      })
      .finally(() => {
        if (this.#lookups.get(hash) === lookup) this.#lookups.delete(hash);
      });
    this.#lookups.set(hash, lookup);
    return lookup;
  }

  #remember(hash: string, row: ApiKeyRow | undefined): void {
    this.#known.delete(hash);
    this.#unknown.delete(hash);
    const shelf = row ? this.#known : this.#unknown;
    shelf.set(hash, { row, asOf: Date.now() });
    if (shelf.size <= MOST_KNOWN) return;
    const [oldest] = shelf.keys();
    if (oldest !== undefined) shelf.delete(oldest);
  }

  /** Once a minute and key, and without making the request wait. */
  #noteUse(row: ApiKeyRow): void {
    const now = Date.now();
    const last = Math.max(this.#usedAt.get(row.id) ?? 0, row.lastUsedAt?.getTime() ?? 0);
    if (now - last < NOTE_USE_MS) return;
    this.#usedAt.set(row.id, now);
    const before = new Date(now - NOTE_USE_MS);
    const stale = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, before));
    const write = this.#rows
      .update(apiKeys, { lastUsedAt: new Date(now) }, and(eq(apiKeys.id, row.id), stale)!)
      .catch((thrown: unknown) => {
        this.#log.warn({ err: asError(thrown) }, 'the use of a key was not noted');
      })
      .finally(() => void this.#writes.delete(write));
    this.#writes.add(write);
  }
}

function isOver(expiresAt: Date | null): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now();
}
