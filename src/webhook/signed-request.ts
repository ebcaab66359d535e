import { createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** How far the time of a signature may be from ours, as Standard Webhooks proposes. */
const TOLERANCE_MS = 5 * 60_000;
const HEX = /^[0-9a-f]{64}$/i;

export type SignedRequest = {
  /** With names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  query: Record<string, unknown>;
  /** As it came. */
  body: Buffer;
  /** `timestamp` of the body: ISO 8601, or seconds since the epoch. */
  timestamp: unknown;
};

export type Verdict =
  /** `id` is the same where the same request comes again. */
  { ok: true; id: string } | { ok: false; reason: string };

/** Whether a request brings a signature of any kind that is understood. */
export function isSigned({ headers, query }: Pick<SignedRequest, 'headers' | 'query'>): boolean {
  const named = ['webhook-signature', 'x-signature', 'x-hub-signature-256'];
  return named.some((name) => headers[name] !== undefined) || query['v1'] !== undefined;
}

/**
 * Checks the signature of a request, in one of three forms: the headers of Standard Webhooks; `?t=…&v1=…` for
 * senders that can set no headers, HMAC-SHA256 in hex over the time, a dot and the body; or `X-Signature: sha256=…`
 * over the body alone, as GitHub and many others send it, with the time inside the body.
 *
 * Each form has a time, so that what somebody recorded is worth nothing five minutes later.
 */
export function verifySigned(request: SignedRequest, secret: string, now: number): Verdict {
  const { headers, query } = request;
  if (headers['webhook-signature'] !== undefined) return standard(request, secret);
  if (query['v1'] !== undefined) return inQuery(request, secret, now);
  return overBody(request, secret, now);
}

function standard({ headers, body }: SignedRequest, secret: string): Verdict {
  const id = one(headers['webhook-id']);
  if (!/^[\x21-\x7e]{1,200}$/.test(id)) {
    return refused('webhook-id is missing, or is not 1 to 200 visible ASCII characters');
  }
  try {
    const own = {
      'webhook-id': id,
      'webhook-timestamp': one(headers['webhook-timestamp']),
      'webhook-signature': one(headers['webhook-signature']),
    };
    new Webhook(secret).verify(body, own, { jsonParse: false });
    return { ok: true, id };
  } catch {
    return refused('webhook-signature is wrong, or webhook-timestamp is not within five minutes');
  }
}

function inQuery({ query, body }: SignedRequest, secret: string, now: number): Verdict {
  const [time, signature] = [one(query['t']), one(query['v1'])];
  if (!isRecent(time, now)) return refused('t is not a time within five minutes, in seconds');
  if (!isHmac(signature, secret, [`${time}.`, body])) return refused('v1 is wrong');
  return { ok: true, id: signature.toLowerCase() };
}

function overBody(request: SignedRequest, secret: string, now: number): Verdict {
  const { headers, body, timestamp } = request;
  const given = one(headers['x-signature'] ?? headers['x-hub-signature-256']);
  const signature = given.replace(/^sha256=/, '');
  if (!isHmac(signature, secret, [body])) return refused('X-Signature is wrong');
  if (!isRecent(timestamp, now)) {
    return refused('this form of signature wants `timestamp` in the body, within five minutes');
  }
  return { ok: true, id: signature.toLowerCase() };
}

function isHmac(given: string, secret: string, parts: readonly (string | Buffer)[]): boolean {
  if (!HEX.test(given)) return false;
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return timingSafeEqual(hmac.digest(), Buffer.from(given, 'hex'));
}

function isRecent(time: unknown, now: number): boolean {
  const text = String(time);
  const at = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Math.abs(now - at) <= TOLERANCE_MS;
}

function one(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function refused(reason: string): Verdict {
  return { ok: false, reason };
}
