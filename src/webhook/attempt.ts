import { AddressRefused } from '../platform/address-policy.ts';
import type { GuardedHttp } from '../platform/guarded-http.ts';
import { signatureHeaders } from './signature.ts';

/** How one attempt to deliver went. Nothing of the URL or the body stands in the reason. */
export type AttemptResult =
  | { kind: 'delivered'; status: number }
  /** 410: the receiver wants no more. */
  | { kind: 'gone'; status: number; reason: string }
  | {
      kind: 'failed';
      status: number | undefined;
      reason: string;
      retryAfterMs: number | undefined;
    }
  /** We are stopping; whether it arrived is not known. */
  | { kind: 'interrupted' };

export type Message = { url: string; eventId: string; body: string; secrets: readonly string[] };

/** Sends a message once. */
export async function attempt(
  http: GuardedHttp,
  message: Message,
  options: { limitMs: number; stopping: AbortSignal },
): Promise<AttemptResult> {
  const { url, eventId: id, body, secrets } = message;
  const { limitMs, stopping } = options;
  try {
    const { status, retryAfterMs } = await http.post(url, {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Trunkline-Webhooks/1',
        ...signatureHeaders({ id, at: new Date(), body }, secrets),
      },
      body,
      limitMs,
      signal: stopping,
    });
    if (status >= 200 && status < 300) return { kind: 'delivered', status };
    if (status === 410) {
      return { kind: 'gone', status, reason: 'the receiver answered 410 Gone: it wants no more' };
    }
    return { kind: 'failed', status, reason: reasonOfStatus(status), retryAfterMs };
  } catch (thrown) {
    if (stopping.aborted) return { kind: 'interrupted' };
    const reason = reasonOf(thrown, limitMs);
    return { kind: 'failed', status: undefined, reason, retryAfterMs: undefined };
  }
}

function reasonOfStatus(status: number): string {
  if (status >= 300 && status < 400) {
    return `the receiver redirects (status ${status}), and redirects are not followed: register the address that it redirects to`;
  }
  return `the receiver answered ${status}`;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at the address (connection refused)',
  ECONNRESET: 'the receiver closed the connection without an answer',
  EPIPE: 'the receiver closed the connection without an answer',
  UND_ERR_SOCKET: 'the receiver closed the connection without an answer',
  ENOTFOUND: 'the name of the receiver is not known (DNS)',
  EAI_AGAIN: 'the name of the receiver cannot be resolved now (DNS)',
  EHOSTUNREACH: 'the receiver cannot be reached',
  ENETUNREACH: 'the receiver cannot be reached',
  ETIMEDOUT: 'the receiver does not take connections (time-out)',
  UND_ERR_CONNECT_TIMEOUT: 'the receiver does not take connections (time-out)',
  CERT_HAS_EXPIRED: 'the certificate of the receiver has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the receiver is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the receiver is for another name',
};

function reasonOf(thrown: unknown, limitMs: number): string {
  if (thrown instanceof AddressRefused) return refusal(thrown);
  if (!(thrown instanceof Error)) return 'it could not be sent';
  const code = 'code' in thrown ? String(thrown.code) : thrown.name;
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || thrown.name === 'TimeoutError') {
    return `the receiver did not answer within ${limitMs / 1000} s`;
  }
  // Other messages may hold the address.
  return REASONS[code] ?? `it could not be sent (${/^\w{1,60}$/.test(code) ? code : 'error'})`;
}

/** What to do about an address that is refused. */
export function refusal({ address, network }: AddressRefused): string {
  return `the receiver is at ${address}, which is not a public address; to permit it, add its network to WEBHOOK_ALLOWED_NETWORKS, for example ${network}`;
}
