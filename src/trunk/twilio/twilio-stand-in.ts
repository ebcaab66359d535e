import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakeTwilioAccount, type FakeAccount } from './twilio-stand-in-account.ts';

/** A request that the stand-in got: `POST /v1/Trunks`. */
export type SeenRequest = { method: string; path: string };

type Refusal = { status: number; code: number; message: string };

/**
 * Twilio's REST API as far as Trunkline uses it, for tests: https://www.twilio.com/docs/sip-trunking/api and
 * https://www.twilio.com/docs/voice/sip/api . Keeps one account in memory and speaks Twilio's wire format.
 */
export class TwilioStandIn {
  readonly account: FakeAccount;
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #refusals: { method: string; path: RegExp; refusal: Refusal }[] = [];

  constructor(accountSid: string, authToken: string) {
    this.account = fakeTwilioAccount(accountSid, authToken);
    this.#server = createServer((request, response) => {
      const answer = async () => {
        const { status, body } = await this.#answer(request);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(status === 204 ? '' : JSON.stringify(body));
      };
      answer().catch((thrown: unknown) => response.writeHead(500).end(String(thrown)));
    });
  }

  /** Resolves with the base URL, for TWILIO_API_URL. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Requests that change something. */
  get writes(): SeenRequest[] {
    return this.requests.filter(({ method }) => method !== 'GET');
  }

  /** Refuses the requests that match until the returned function is called. */
  refuse(method: string, path: RegExp, refusal: Refusal): () => void {
    const entry = { method, path, refusal };
    this.#refusals.push(entry);
    return () => {
      this.#refusals.splice(this.#refusals.indexOf(entry), 1);
    };
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const method = request.method ?? 'GET';
    const form = new URLSearchParams(await textOf(request));
    this.requests.push({ method, path: url.pathname });
    if (request.headers.authorization !== this.account.authorization) {
      return problem({ status: 401, code: 20003, message: 'Authenticate' });
    }
    const refused = this.#refusals.find((it) => it.method === method && it.path.test(url.pathname));
    if (refused) return problem(refused.refusal);
    if (this.account.status !== 'active' && !url.pathname.endsWith(`${this.account.sid}.json`)) {
      return problem({ status: 403, code: 20005, message: 'Account not active' });
    }
    const found = this.account.handle(method, url.pathname, url.searchParams, form);
    return (
      found ??
      problem({ status: 404, code: 20404, message: 'The requested resource was not found' })
    );
  }
}

function problem({ status, code, message }: Refusal): { status: number; body: unknown } {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info, status } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
