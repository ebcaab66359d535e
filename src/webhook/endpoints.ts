import { asc, eq } from 'drizzle-orm';
import { ulid } from 'ulid';
import { recordAction, type Actor } from '../access/audit.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { abandon } from './claim.ts';
import { webhookEndpoints, type EndpointRow } from './schema.ts';
import { newWebhookSecret } from './signature.ts';

/** For so long deliveries are signed with the secret before, too. */
const ROTATION_MS = 86_400_000;

/** More than anybody needs; each event is written once for each. */
export const MOST_ENDPOINTS = 100;

export type EndpointFields = Pick<EndpointRow, 'url' | 'description' | 'events' | 'enabled'>;

/** What deliveries to an endpoint are signed with now: its secret, and for a while the one before. */
export function secretsOf(endpoint: EndpointRow, now = new Date()): string[] {
  const { secret, previousSecret, previousSecretUntil } = endpoint;
  const stillGood = previousSecretUntil !== null && previousSecretUntil > now;
  return previousSecret !== null && stillGood ? [secret, previousSecret] : [secret];
}

/** Who is told of events. Every change leaves an audit record. */
export class Endpoints {
  readonly #rows: WorkspaceRows;

  constructor(rows: WorkspaceRows) {
    this.#rows = rows;
  }

  async list(): Promise<EndpointRow[]> {
    return this.#rows.select(webhookEndpoints, { orderBy: [asc(webhookEndpoints.id)] });
  }

  async find(id: string): Promise<EndpointRow | undefined> {
    const [row] = await this.#rows.select(webhookEndpoints, { where: eq(webhookEndpoints.id, id) });
    return row;
  }

  /** @returns undefined where there are as many as there may be */
  async create(actor: Actor, fields: EndpointFields): Promise<EndpointRow | undefined> {
    return this.#rows.transaction(async (rows) => {
      const others = await rows.select(webhookEndpoints, { limit: MOST_ENDPOINTS });
      if (others.length >= MOST_ENDPOINTS) return undefined;
      const now = new Date();
      const id = `whe_${ulid(now.getTime()).toLowerCase()}`;
      const secret = newWebhookSecret();
      const row = { id, ...fields, secret, createdAt: now, updatedAt: now };
      const [created] = await rows.insert(webhookEndpoints, [row]);
      await recordAction(rows, {
        actor,
        action: 'webhook.create',
        subject: id,
        detail: { host: hostOf(fields.url), events: fields.events, enabled: fields.enabled },
      });
      return created;
    });
  }

  /** @returns undefined where there is none of this id */
  async change(
    actor: Actor,
    id: string,
    fields: Partial<EndpointFields>,
  ): Promise<EndpointRow | undefined> {
    return this.#changed(id, async (rows, before) => {
      const disabledReason = fields.enabled === undefined ? before.disabledReason : null;
      const change = { ...fields, disabledReason, updatedAt: new Date() };
      await rows.update(webhookEndpoints, change, eq(webhookEndpoints.id, id));
      const { url, description: _description, ...shown } = fields;
      await recordAction(rows, {
        actor,
        action: 'webhook.change',
        subject: id,
        detail: { ...shown, ...(url === undefined ? {} : { host: hostOf(url) }) },
      });
      return { ...before, ...change };
    });
  }

  /** Gives it a new secret; the one before is good for another day. */
  async rotate(actor: Actor, id: string): Promise<EndpointRow | undefined> {
    return this.#changed(id, async (rows, before) => {
      const now = new Date();
      const change = {
        secret: newWebhookSecret(),
        previousSecret: before.secret,
        previousSecretUntil: new Date(now.getTime() + ROTATION_MS),
        updatedAt: now,
      };
      await rows.update(webhookEndpoints, change, eq(webhookEndpoints.id, id));
      await recordAction(rows, { actor, action: 'webhook.rotate', subject: id });
      return { ...before, ...change };
    });
  }

  /** What waits for it is given up. */
  async remove(actor: Actor, id: string): Promise<EndpointRow | undefined> {
    return this.#changed(id, async (rows, before) => {
      await rows.delete(webhookEndpoints, eq(webhookEndpoints.id, id));
      await abandon(rows, id, 'the endpoint was deleted');
      await recordAction(rows, { actor, action: 'webhook.delete', subject: id });
      return before;
    });
  }

  async #changed(
    id: string,
    change: (rows: WorkspaceRows, before: EndpointRow) => Promise<EndpointRow>,
  ): Promise<EndpointRow | undefined> {
    return this.#rows.transaction(async (rows) => {
      const where = eq(webhookEndpoints.id, id);
      const [before] = await rows.select(webhookEndpoints, { where, forUpdate: true });
      return before && change(rows, before);
    });
  }
}

/** The path and the query of an address may hold a secret. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}
