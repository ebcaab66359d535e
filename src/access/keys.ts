import { desc, eq, lt } from 'drizzle-orm';
import { ulid } from 'ulid';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { digestOf, newApiKey, prefixOf } from './api-key.ts';
import { recordAction, type Actor } from './audit.ts';
import type { KeyRing } from './key-ring.ts';
import { apiKeys, type ApiKeyRow } from './schema.ts';
import { scopes, type Scope } from './scope.ts';

export type NewKey = {
  name: string;
  scopes: readonly Scope[];
  expiresAt?: Date | undefined;
  /** Requests a minute; absent: as many as come. */
  rateLimit?: number | undefined;
};

/** The keys beside the one of the configuration; each change is on record. */
export class Keys {
  readonly #rows: WorkspaceRows;
  readonly #ring: KeyRing;

  constructor(deps: { rows: WorkspaceRows; ring: KeyRing }) {
    this.#rows = deps.rows;
    this.#ring = deps.ring;
  }

  /** Makes a key. It is in the answer, and nowhere else. */
  async create(actor: Actor, wanted: NewKey): Promise<{ key: string; row: ApiKeyRow }> {
    const key = newApiKey();
    const createdAt = new Date();
    const row = await this.#rows.transaction(async (rows) => {
      const [inserted] = await rows.insert(apiKeys, [
        {
          id: `key_${ulid(createdAt.getTime()).toLowerCase()}`,
          name: wanted.name,
          hash: digestOf(key).toString('hex'),
          prefix: prefixOf(key),
          scopes: scopes.filter((scope) => wanted.scopes.includes(scope)),
          rateLimit: wanted.rateLimit ?? null,
          createdAt,
          expiresAt: wanted.expiresAt ?? null,
        },
      ]);
      if (!inserted) throw new Error('a new key was there already');
      await recordAction(rows, {
        actor,
        action: 'key.create',
        subject: inserted.id,
        detail: {
          name: inserted.name,
          scopes: inserted.scopes,
          expires_at: inserted.expiresAt?.toISOString() ?? null,
          rate_limit: inserted.rateLimit,
        },
      });
      return inserted;
    });
    return { key, row };
  }

  /** Newest first. */
  async list(page: { before?: string | undefined; limit: number }): Promise<ApiKeyRow[]> {
    return this.#rows.select(apiKeys, {
      where: page.before === undefined ? undefined : lt(apiKeys.id, page.before),
      orderBy: [desc(apiKeys.id)],
      limit: page.limit,
    });
  }

  /** Revokes a key for good, once however often it is asked; undefined where there is none of this id. */
  async revoke(actor: Actor, id: string): Promise<ApiKeyRow | undefined> {
    const revoked = await this.#rows.transaction(async (rows) => {
      const [row] = await rows.select(apiKeys, { where: eq(apiKeys.id, id), forUpdate: true });
      if (!row || row.revokedAt) return row;
      const revokedAt = new Date();
      await rows.update(apiKeys, { revokedAt }, eq(apiKeys.id, id));
      const detail = { name: row.name, scopes: row.scopes };
      await recordAction(rows, { actor, action: 'key.revoke', subject: id, detail });
      return { ...row, revokedAt };
    });
    if (revoked) this.#ring.forget(revoked.hash);
    return revoked;
  }
}
