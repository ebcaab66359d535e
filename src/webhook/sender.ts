import { and, eq, lt, ne, notInArray } from 'drizzle-orm';
import { setTimeout as delay } from 'node:timers/promises';
import { recordAction } from '../access/audit.ts';
import { BackgroundTask } from '../platform/background-task.ts';
import { withoutValues } from '../platform/database-failure.ts';
import type { GuardedHttp } from '../platform/guarded-http.ts';
import type { Log } from '../platform/log.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { attempt, type AttemptResult } from './attempt.ts';
import {
  abandon,
  claim,
  dueLanes,
  giveBack,
  noteDead,
  noteDelivered,
  noteFailed,
  type Lane,
} from './claim.ts';
import { Lanes } from './lanes.ts';
import { CALLBACK } from './outgoing-event.ts';
import { nextDelayMs, RETRY_MS } from './retry-schedule.ts';
import {
  webhookDeliveries,
  webhookEndpoints,
  type DeliveryRow,
  type EndpointRow,
} from './schema.ts';
import { secretsOf } from './endpoints.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

const POLL_MS = 1000;
/** A wish to send is served when whoever wrote had time to commit. */
const SOON_MS = 20;
const LIMIT_MS = 15_000;
/** Far longer than an attempt can take, clocks of several apis being some seconds apart. */
const LEASE_MS = 60_000;
const STOP_MS = 3000;
const NOTE_TRIES = 4;
const NOTE_PAUSE_MS = 500;
const TIDY_EVERY_MS = 10 * 60_000;
/** How long it can be looked up what was delivered, and what was given up. */
const KEEP_MS = 30 * 86_400_000;
/** What waits for an endpoint that is disabled waits as long as it would be tried. */
const PARKED_MS = 86_400_000;
/** A receiver that asks for patience gets it for all its deliveries, but not for longer than this. */
const LONGEST_PAUSE_MS = 5 * 60_000;

export type SenderDeps = {
  rows: WorkspaceRows;
  http: GuardedHttp;
  /** What callbacks are signed with; absent: they are not signed. */
  callbackSecret: string | undefined;
  metrics: Pick<WebhookMetrics, 'attempted' | 'ended'>;
  log: Log;
  /** For tests: otherwise the schedule of a day, and what stands above. */
  retryMs?: readonly number[];
  limitMs?: number;
  leaseMs?: number;
};

/**
 * Sends what the outbox holds. Each api has one; a delivery is taken under a lease, so that two never send it at the
 * same time, and what a dead api had taken is sent by another, under the same id.
 */
export class WebhookSender {
  readonly #deps: SenderDeps;
  readonly #lanes = new Lanes();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #sending: BackgroundTask;
  readonly #tidying: BackgroundTask;
  #soon: NodeJS.Timeout | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    const onError = (thrown: unknown) =>
      deps.log.warn({ err: withoutValues(thrown) }, 'could not look after webhooks');
    this.#sending = new BackgroundTask({
      run: async () => this.#send(),
      everyMs: POLL_MS,
      onError,
    });
    this.#tidying = new BackgroundTask({
      run: async () => this.#tidy(),
      everyMs: TIDY_EVERY_MS,
      onError,
    });
  }

  start(): void {
    this.#sending.start();
    this.#tidying.start();
  }

  /** Something was written and is about to be committed. */
  soon(): void {
    if (this.#stopping.signal.aborted) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#sending.nudge();
    }, SOON_MS);
  }

  /** Waits a little for what is being sent; what is not answered by then is sent again after the start. */
  async stop(): Promise<void> {
    clearTimeout(this.#soon);
    await Promise.all([this.#sending.stop(), this.#tidying.stop()]);
    await withinMs(STOP_MS, Promise.all(this.#inFlight)).catch(() => undefined);
    this.#stopping.abort();
    clearTimeout(this.#soon);
    await Promise.all(this.#inFlight);
  }

  async #send(): Promise<void> {
    const { rows, leaseMs = LEASE_MS } = this.#deps;
    const endpoints = await rows.select(webhookEndpoints, {
      where: eq(webhookEndpoints.enabled, true),
    });
    const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const lanes = await dueLanes(rows, [CALLBACK, ...byId.keys()], new Date());
    for (const lane of this.#lanes.inOrder(lanes)) {
      const now = new Date();
      const limit = this.#lanes.room(lane, now.getTime());
      if (limit <= 0) continue;
      for (const row of await claim(rows, lane, { now, leaseMs, limit })) {
        this.#begin(lane, row, byId.get(row.receiver));
      }
    }
  }

  #begin(lane: Lane, row: DeliveryRow, endpoint: EndpointRow | undefined): void {
    this.#lanes.begin(lane);
    const sent = this.#deliver(lane, row, endpoint).finally(() => {
      this.#inFlight.delete(sent);
      this.#sending.nudge();
    });
    this.#inFlight.add(sent);
  }

  async #deliver(lane: Lane, row: DeliveryRow, endpoint: EndpointRow | undefined): Promise<void> {
    const { http, limitMs = LIMIT_MS, callbackSecret, metrics } = this.#deps;
    const began = performance.now();
    const result = await attempt(
      http,
      {
        url: endpoint?.url ?? row.url ?? '',
        eventId: row.eventId,
        body: JSON.stringify(row.payload),
        secrets: endpoint
          ? secretsOf(endpoint)
          : callbackSecret === undefined
            ? []
            : [callbackSecret],
      },
      { limitMs, stopping: this.#stopping.signal },
    );
    metrics.attempted(result, performance.now() - began);
    await this.#note(row, result);
    const wishMs = result.kind === 'failed' ? result.retryAfterMs : undefined;
    this.#lanes.end(lane, {
      ok: result.kind === 'delivered',
      pauseMs: wishMs === undefined ? undefined : Math.min(wishMs, LONGEST_PAUSE_MS),
    });
  }

  /** A result that is lost means that the receiver gets the event again: the database may be away for a moment. */
  async #note(row: DeliveryRow, result: AttemptResult): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#write(row, result);
        return;
      } catch (thrown) {
        const { log } = this.#deps;
        const ids = { delivery: row.id, call: row.callId };
        if (tries === NOTE_TRIES || this.#stopping.signal.aborted) {
          log.error({ err: withoutValues(thrown), ...ids }, 'the result of a delivery is lost');
          return;
        }
        await delay(NOTE_PAUSE_MS * tries);
      }
    }
  }

  async #write(row: DeliveryRow, result: AttemptResult): Promise<void> {
    const { rows, log, metrics, retryMs = RETRY_MS } = this.#deps;
    const facts = { delivery: row.id, type: row.type, receiver: row.receiver, call: row.callId };
    switch (result.kind) {
      case 'delivered':
        await noteDelivered(rows, row, result.status);
        metrics.ended('delivered');
        return;
      case 'interrupted':
        await giveBack(rows, row);
        return;
      case 'gone':
        await noteDead(rows, row, result, retryMs.length);
        metrics.ended('dead');
        if (row.receiver !== CALLBACK) await this.#disable(row.receiver, result.reason);
        log.warn({ ...facts, status: result.status }, 'a receiver of webhooks wants no more');
        return;
      case 'failed': {
        const { status, retryAfterMs: wishMs } = result;
        const delayMs = nextDelayMs(row.attempts, {
          delays: retryMs,
          wishMs,
          random: Math.random(),
        });
        if (delayMs === undefined) {
          await noteDead(rows, row, result, retryMs.length);
          metrics.ended('dead');
          log.error({ ...facts, status }, 'gave up a delivery; it can be replayed');
          return;
        }
        await noteFailed(rows, row, result, new Date(Date.now() + delayMs));
        log.info(
          { ...facts, status, attempts: row.attempts },
          'a delivery failed; it is tried again',
        );
      }
    }
  }

  async #disable(id: string, reason: string): Promise<void> {
    await this.#deps.rows.transaction(async (rows) => {
      const change = { enabled: false, disabledReason: reason, updatedAt: new Date() };
      const enabled = and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.enabled, true));
      if (!enabled || (await rows.updateCounting(webhookEndpoints, change, enabled)) === 0) return;
      await abandon(rows, id, 'the endpoint was disabled, since it answered 410 Gone');
      await recordAction(rows, {
        actor: { id: 'system', name: 'webhook sender' },
        action: 'webhook.disable',
        subject: id,
        detail: { reason },
      });
    });
  }

  /** Removes what is older than anybody looks up, and gives up what waits for endpoints that stay disabled. */
  async #tidy(): Promise<void> {
    const { rows } = this.#deps;
    const now = Date.now();
    const old = and(
      ne(webhookDeliveries.state, 'pending'),
      lt(webhookDeliveries.createdAt, new Date(now - KEEP_MS)),
    );
    if (old) await rows.delete(webhookDeliveries, old);
    const endpoints = await rows.select(webhookEndpoints, {
      where: eq(webhookEndpoints.enabled, true),
    });
    const parked = and(
      eq(webhookDeliveries.state, 'pending'),
      notInArray(webhookDeliveries.receiver, [CALLBACK, ...endpoints.map(({ id }) => id)]),
      lt(webhookDeliveries.createdAt, new Date(now - PARKED_MS)),
    );
    const lastError = 'the endpoint was disabled or deleted, and stayed so for a day';
    if (parked) await rows.update(webhookDeliveries, { state: 'dead', lastError }, parked);
  }
}
