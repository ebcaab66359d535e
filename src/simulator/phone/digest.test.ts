import { describe, expect, it } from 'vitest';
import { digestAnswer, digestChallenge, digestMatches } from './digest.ts';

describe('digest credentials', () => {
  // RFC 2617, section 3.5.
  const example =
    'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", qop=auth, ' +
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", nc=00000001, cnonce="0a4f113b", ' +
    'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
  const mufasa = { username: 'Mufasa', password: 'Circle Of Life' };

  it('are recognised in the example of the RFC, and only with its password and method', () => {
    expect(digestMatches(example, 'GET', mufasa)).toBe(true);
    expect(digestMatches(example, 'POST', mufasa)).toBe(false);
    expect(digestMatches(example, 'GET', { ...mufasa, password: 'x' })).toBe(false);
    expect(digestMatches(example, 'GET', { ...mufasa, username: 'x' })).toBe(false);
    expect(digestMatches(undefined, 'GET', mufasa)).toBe(false);
  });

  it('are answered with and without quality of protection', () => {
    const request = { method: 'INVITE', uri: 'sip:+1@h' };
    for (const challenge of [
      digestChallenge('here'),
      'Digest realm="a, b", nonce="n", opaque="o"',
    ]) {
      const answer = digestAnswer(challenge, request, mufasa);
      expect(digestMatches(answer, 'INVITE', mufasa)).toBe(true);
    }
  });

  it('are not answered where the algorithm is another', () => {
    const challenge = 'Digest realm="r", nonce="n", algorithm=SHA-256';
    expect(digestAnswer(challenge, { method: 'INVITE', uri: 'sip:x' }, mufasa)).toBeUndefined();
  });
});
