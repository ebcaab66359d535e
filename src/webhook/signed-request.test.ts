import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { verifySigned, type SignedRequest } from './signed-request.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const NOW = Date.now();
const BODY = Buffer.from('{"type":"ping"}');

const hex = (...parts: (string | Buffer)[]) => {
  const hmac = createHmac('sha256', SECRET);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
};
const verify = (request: Partial<SignedRequest>) =>
  verifySigned(
    { headers: {}, query: {}, body: BODY, timestamp: undefined, ...request },
    SECRET,
    NOW,
  );

describe('a signed request', () => {
  const standard = (at: Date, id = 'msg_1') => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign(id, at, BODY),
  });

  it('is accepted with the headers of Standard Webhooks, and known again by its id', () => {
    expect(verify({ headers: standard(new Date(NOW)) })).toEqual({ ok: true, id: 'msg_1' });
  });

  it('is refused with another body, secret, id, or an old time', () => {
    const good = standard(new Date(NOW));
    const old = standard(new Date(NOW - 6 * 60_000));
    expect(verify({ headers: good, body: Buffer.from('{}') }).ok).toBe(false);
    expect(verify({ headers: { ...good, 'webhook-id': 'msg_2' } }).ok).toBe(false);
    expect(verify({ headers: { ...good, 'webhook-id': undefined } }).ok).toBe(false);
    expect(verify({ headers: old }).ok).toBe(false);
    const other = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
    expect(
      verifySigned({ headers: good, query: {}, body: BODY, timestamp: undefined }, other, NOW).ok,
    ).toBe(false);
  });

  it('is accepted with its signature in the query, for senders that set no headers', () => {
    const t = String(Math.floor(NOW / 1000));
    const v1 = hex(`${t}.`, BODY);
    expect(verify({ query: { t, v1 } })).toEqual({ ok: true, id: v1 });
    expect(verify({ query: { t, v1: v1.toUpperCase() } })).toEqual({ ok: true, id: v1 });
    expect(verify({ query: { t: String(Number(t) - 1), v1 } }).ok).toBe(false);
    const old = String(Number(t) - 301);
    expect(verify({ query: { t: old, v1: hex(`${old}.`, BODY) } }).ok).toBe(false);
    expect(verify({ query: { t: ['1'], v1: [] } }).ok).toBe(false);
    expect(verify({ query: { t: '', v1: '' } }).ok).toBe(false);
  });

  it('is accepted with a signature over the body alone where the body has the time', () => {
    const headers = { 'x-signature': `sha256=${hex(BODY)}` };
    expect(verify({ headers, timestamp: new Date(NOW).toISOString() }).ok).toBe(true);
    expect(verify({ headers, timestamp: Math.floor(NOW / 1000) }).ok).toBe(true);
    expect(verify({ headers }).ok).toBe(false);
    expect(verify({ headers, timestamp: new Date(NOW - 301_000).toISOString() }).ok).toBe(false);
    const wrong = { 'x-hub-signature-256': `sha256=${hex('other')}` };
    expect(verify({ headers: wrong, timestamp: new Date(NOW).toISOString() }).ok).toBe(false);
  });
});
