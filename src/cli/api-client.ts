import { z } from 'zod';
import { loadConfig } from '../platform/config.ts';
import { asError, OperatorError } from '../platform/errors.ts';

const TIMEOUT_MS = 10_000;

const problemSchema = z.looseObject({
  title: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), reason: z.string() })).optional(),
});

export type ApiRequest = {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  /** Until the answer begins. */
  timeoutMs?: number;
};

/** The api as the commands use it. What it refuses is an OperatorError, with what it said of each field. */
export class ApiClient {
  readonly #url: string;
  readonly #apiKey: string;

  constructor(api: { url: string; apiKey: string }) {
    this.#url = api.url;
    this.#apiKey = api.apiKey;
  }

  /** The api of the configuration: `API_INTERNAL_URL`, with `API_KEY`. */
  static ofConfig(): ApiClient {
    const config = loadConfig();
    return new ApiClient({ url: config.API_INTERNAL_URL, apiKey: config.API_KEY });
  }

  /**
   * Sends a request, and reads its JSON answer.
   *
   * @param path from `/api/…` on, its parts encoded
   * @throws OperatorError where the api does not answer, or refuses
   */
  async json<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    request: ApiRequest = {},
  ): Promise<T> {
    const response = await this.send(method, path, request);
    return schema.parse(await response.json());
  }

  /**
   * Sends a request whose answer the caller reads, for example as a stream.
   *
   * @throws OperatorError where the api does not answer, or refuses
   */
  async send(method: string, path: string, request: ApiRequest = {}): Promise<Response> {
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { body } = request;
    // The limit ends with the head of the answer: a long body may take its time.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), request.timeoutMs ?? TIMEOUT_MS);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        signal: late.signal,
        headers: {
          'x-api-key': this.#apiKey,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (thrown) {
      throw new OperatorError(`The api does not answer at ${url.origin}.`, {
        remedy: 'Start it with `trunkline up`, or correct API_INTERNAL_URL.',
        cause: asError(thrown),
      });
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

async function refusalOf(response: Response): Promise<OperatorError> {
  const said = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!said.success) {
    return new OperatorError(`The api answered with HTTP ${response.status}.`, {
      remedy: 'Check that API_INTERNAL_URL is the api of Trunkline; its log may tell more.',
    });
  }
  const { title, detail, errors = [] } = said.data;
  const fields = errors.map(({ field, reason }) => `\n  ${field}: ${reason}`).join('');
  const message = `${title}.${fields === '' ? ` ${detail}` : fields}`;
  const remedy = remedyOf(response);
  return new OperatorError(message, remedy === undefined ? {} : { remedy });
}

function remedyOf(response: Response): string | undefined {
  if (response.status === 401) return 'Check API_KEY: it must be the one that the api runs with.';
  const wait = response.headers.get('retry-after');
  return wait === null ? undefined : `Try again in ${wait} s.`;
}
