import { ulid } from 'ulid';
import type { AlongsideAccept } from '../../call/ledger/accept-order.ts';
import type { Alongside } from '../../call/ledger/record-events.ts';
import { turnsOf } from '../../call/ledger/turns-of.ts';
import { AddressPolicy } from '../../platform/address-policy.ts';
import type { Config } from '../../platform/config.ts';
import { GuardedHttp } from '../../platform/guarded-http.ts';
import type { Log } from '../../platform/log.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import type { TrunkEvent } from '../../trunk/trunk-event.ts';
import { attempt, type AttemptResult } from '../../webhook/attempt.ts';
import { Deliveries } from '../../webhook/deliveries.ts';
import { Endpoints, secretsOf } from '../../webhook/endpoints.ts';
import { writeDeliveries } from '../../webhook/outbox.ts';
import type { EndpointRow } from '../../webhook/schema.ts';
import { WebhookSender } from '../../webhook/sender.ts';
import { WebhookMetrics } from '../../webhook/webhook-metrics.ts';
import {
  bringsTranscript,
  eventsOf,
  queuedEvents,
  testEventOf,
  trunkEventOf,
} from './call-events.ts';

const TEST_LIMIT_MS = 15_000;

/** Webhooks of one api: who is told, what is on its way, and what sends it. */
export class Webhooks {
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly http: GuardedHttp;
  readonly #rows: WorkspaceRows;
  readonly #sender: WebhookSender;
  readonly #stopping = new AbortController();

  constructor(deps: {
    rows: WorkspaceRows;
    config: Pick<Config, 'WEBHOOK_ALLOWED_NETWORKS' | 'WEBHOOK_SECRET'>;
    registry: Registry;
    log: Log;
  }) {
    const { rows, config, registry, log } = deps;
    this.#rows = rows;
    this.endpoints = new Endpoints(rows);
    this.deliveries = new Deliveries(rows);
    this.http = new GuardedHttp(new AddressPolicy(config.WEBHOOK_ALLOWED_NETWORKS));
    this.#sender = new WebhookSender({
      rows,
      http: this.http,
      callbackSecret: config.WEBHOOK_SECRET,
      metrics: new WebhookMetrics(registry, rows),
      log,
    });
  }

  start(): void {
    this.#sender.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sender.stop();
    await this.http.close();
  }

  /** Writes down what receivers are told of events, in the transaction that writes the events. */
  readonly alongside: Alongside = async (rows, applied) => {
    const withTranscript = applied.filter(bringsTranscript).map(({ call }) => call.id);
    const turns = await turnsOf(rows, withTranscript);
    const events = applied.flatMap((one) => eventsOf(one, turns.get(one.call.id) ?? []));
    if ((await writeDeliveries(rows, events)) > 0) this.#sender.soon();
  };

  /** The same for calls that are being accepted. */
  readonly alongsideAccept: AlongsideAccept = async (rows, accepted) => {
    if ((await writeDeliveries(rows, queuedEvents(accepted))) > 0) this.#sender.soon();
  };

  /** The same for trunks. */
  readonly recordTrunks = async (events: readonly TrunkEvent[]): Promise<void> => {
    const outgoing = events.map(trunkEventOf);
    const written = await this.#rows.transaction(async (rows) => writeDeliveries(rows, outgoing));
    if (written > 0) this.#sender.soon();
  };

  /** Something in the outbox is due that was not. */
  nudge(): void {
    this.#sender.soon();
  }

  /** Sends a test now, whether the endpoint is enabled or not, once. */
  async test(endpoint: EndpointRow): Promise<{ result: AttemptResult; eventId: string }> {
    const at = Date.now();
    const event = testEventOf(endpoint.id, `evt_${ulid(at).toLowerCase()}`);
    const result = await attempt(
      this.http,
      {
        url: endpoint.url,
        eventId: event.id,
        body: JSON.stringify(event.payload),
        secrets: secretsOf(endpoint),
      },
      { limitMs: TEST_LIMIT_MS, stopping: this.#stopping.signal },
    );
    await this.deliveries.noteTest(endpoint.id, event, result);
    return { result, eventId: event.id };
  }
}
