import { createHash, randomBytes } from 'node:crypto';
import { splitList } from './sip-address.ts';

export type Credentials = { username: string; password: string };

type DigestFields = Readonly<Record<string, string>>;

/** A fresh challenge, for WWW-Authenticate or Proxy-Authenticate (RFC 7616, section 3.3; MD5, qop auth). */
export function digestChallenge(realm: string): string {
  return `Digest realm="${realm}", nonce="${randomBytes(16).toString('hex')}", algorithm=MD5, qop="auth"`;
}

/**
 * The answer to a challenge, for Authorization or Proxy-Authorization (RFC 7616, section 3.4). MD5 is what
 * SIP carriers use (RFC 3261, section 22.4); another algorithm cannot be answered and gives undefined.
 */
export function digestAnswer(
  challenge: string,
  request: { method: string; uri: string },
  credentials: Credentials,
): string | undefined {
  const { realm = '', nonce = '', qop, opaque, algorithm = 'MD5' } = fieldsOf(challenge);
  if (algorithm.toUpperCase() !== 'MD5') return undefined;
  const withQop = (qop ?? '').split(',').some((option) => option.trim() === 'auth');
  const parts: DigestFields = {
    username: credentials.username,
    realm,
    nonce,
    uri: request.uri,
    ...(withQop ? { qop: 'auth', nc: '00000001', cnonce: randomBytes(8).toString('hex') } : {}),
  };
  const fields = { ...parts, response: responseOf(parts, request.method, credentials.password) };
  const bare = new Set(['qop', 'nc']);
  const written = Object.entries(fields).map(([key, value]) =>
    bare.has(key) ? `${key}=${value}` : `${key}="${value}"`,
  );
  if (opaque !== undefined) written.push(`opaque="${opaque}"`);
  return `Digest ${written.join(', ')}, algorithm=MD5`;
}

/** Whether an Authorization header was made with these credentials, for this method. */
export function digestMatches(
  authorization: string | undefined,
  method: string,
  credentials: Credentials,
): boolean {
  if (authorization === undefined) return false;
  const fields = fieldsOf(authorization);
  if (fields['username'] !== credentials.username) return false;
  return fields['response'] === responseOf(fields, method, credentials.password);
}

function responseOf(fields: DigestFields, method: string, password: string): string {
  const { username = '', realm = '', nonce = '', uri = '', qop, nc = '', cnonce = '' } = fields;
  const secret = md5(`${username}:${realm}:${password}`);
  const action = md5(`${method}:${uri}`);
  return qop === undefined
    ? md5(`${secret}:${nonce}:${action}`)
    : md5(`${secret}:${nonce}:${nc}:${cnonce}:${qop}:${action}`);
}

function fieldsOf(header: string): DigestFields {
  const fields: Record<string, string> = {};
  for (const part of splitList(header.replace(/^\s*Digest\s+/i, ''))) {
    const equals = part.indexOf('=');
    const value = part.slice(equals + 1).trim();
    if (equals > 0) {
      fields[part.slice(0, equals).trim().toLowerCase()] = value.replace(/^"(.*)"$/, '$1');
    }
  }
  return fields;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
