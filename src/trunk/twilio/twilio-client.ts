import twilio from 'twilio';
import type { TwilioAccount } from '../trunk.ts';

export type TwilioClient = ReturnType<typeof twilio>;

type RequestOptions = Parameters<InstanceType<typeof twilio.RequestClient>['request']>[0];

/** Sends what is meant for Twilio's hosts to another base, so that a stand-in can answer at the wire. */
class RedirectedClient extends twilio.RequestClient {
  readonly #base: string;
  constructor(base: string, timeoutMs: number) {
    super({ timeout: timeoutMs });
    this.#base = base;
  }

  override async request<Data>(options: RequestOptions) {
    const { pathname, search } = new URL(options.uri);
    return super.request<Data>({
      ...(options as RequestOptions & { data?: Data }),
      uri: new URL(pathname + search, this.#base).href,
    });
  }
}

/** A client of Twilio's REST API for one account. Requests end after 15 s; 429 is retried thrice. */
export function connectTwilio(account: TwilioAccount, apiUrl: string | undefined): TwilioClient {
  const timeoutMs = 15_000;
  return twilio(account.accountSid, account.authToken, {
    autoRetry: true,
    timeout: timeoutMs,
    ...(apiUrl === undefined ? {} : { httpClient: new RedirectedClient(apiUrl, timeoutMs) }),
  });
}
