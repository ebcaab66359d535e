import { describe, expect, it } from 'vitest';
import { parameterOf, parsePeer, parseUri, splitList, uriOf } from './sip-address.ts';
import {
  SipSyntaxError,
  cseqOf,
  isRequest,
  parseMessage,
  responseTo,
  serialise,
} from './sip-message.ts';

const wire = (lines: string[], body = '') => Buffer.from([...lines, '', body].join('\r\n'));

const invite = wire(
  [
    'INVITE sip:+12025550123@127.0.0.1:5070;transport=udp SIP/2.0',
    'v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb',
    'Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKc',
    'f: "Smith, \\"Bob\\" <x>" <sip:bob@example.com>;tag=f1',
    't: sip:+12025550123@127.0.0.1',
    'i: a84b4c76e66710',
    'CSeq:   314159   INVITE',
    'm: <sip:bob@127.0.0.1:5060;ob>;expires=60',
    'Subject: folded',
    '  over three',
    '\tlines',
    'c: application/sdp',
    'l: 4',
  ],
  'v=0\ntoo much',
);

describe('a SIP message', () => {
  it('is read with compact, folded and repeated headers', () => {
    const message = parseMessage(invite);
    expect(isRequest(message) && message.method).toBe('INVITE');
    expect(message.headers.list('via')).toHaveLength(3);
    expect(message.headers.get('From')).toContain('tag=f1');
    expect(message.headers.get('subject')).toBe('folded over three lines');
    expect(message.headers.get('Call-ID')).toBe('a84b4c76e66710');
    expect(cseqOf(message)).toEqual({ number: 314_159, method: 'INVITE' });
    expect(message.body).toBe('v=0\n');
  });

  it('is written so that reading it gives the same', () => {
    const message = parseMessage(invite);
    const again = parseMessage(serialise(message));
    expect([...again.headers]).toEqual([...message.headers]);
    expect(again.body).toBe(message.body);
  });

  it('counts Content-Length in bytes, not in characters', () => {
    const message = parseMessage(invite);
    message.body = 'é€';
    expect(serialise(message).toString()).toMatch(/Content-Length: 5\r\n/);
    expect(parseMessage(serialise(message)).body).toBe('é€');
  });

  it('is answered with all its Vias and a tag on To', () => {
    const message = parseMessage(invite);
    if (!isRequest(message)) throw new Error('no request');
    const response = responseTo(message, 486, { tag: 't1' });
    expect(response.reason).toBe('Busy Here');
    expect(response.headers.list('via')).toEqual(message.headers.list('via'));
    expect(parameterOf(response.headers.get('to') ?? '', 'tag')).toBe('t1');
  });

  it.each([
    ['nothing at all', ''],
    ['no empty line', 'INVITE sip:a@b SIP/2.0\r\nVia: x'],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no Call-ID', 'BYE sip:a@b SIP/2.0\r\nVia: x\r\nFrom: x\r\nTo: x\r\nCSeq: 1 BYE\r\n\r\n'],
    [
      'a CSeq of another method',
      'BYE sip:a@b SIP/2.0\r\nVia: x\r\nFrom: x\r\nTo: x\r\ni: 1\r\nCSeq: 1 INVITE\r\n\r\n',
    ],
    [
      'a body cut short',
      'BYE sip:a@b SIP/2.0\r\nVia: x\r\nFrom: x\r\nTo: x\r\ni: 1\r\nCSeq: 1 BYE\r\nl: 5\r\n\r\nabc',
    ],
    [
      'a header without a colon',
      'BYE sip:a@b SIP/2.0\r\nVia: x\r\nFrom: x\r\nTo: x\r\ni: 1\r\nCSeq: 1 BYE\r\nhello\r\n\r\n',
    ],
  ])('is refused with %s', (_, text) => {
    expect(() => parseMessage(Buffer.from(text))).toThrow(SipSyntaxError);
  });
});

describe('a SIP address', () => {
  it('is taken apart, with escapes, ports and IPv6', () => {
    expect(parseUri('sip:%2B1202@127.0.0.1:5070;x=y')).toEqual({
      user: '+1202',
      host: '127.0.0.1',
      port: 5070,
    });
    expect(parseUri('sips:[::1]')).toEqual({ user: '', host: '[::1]', port: undefined });
    expect(parseUri('tel:+1202')).toBeUndefined();
    expect(parseUri('sip:%zz@h')?.user).toBe('%zz');
    expect(parsePeer('127.0.0.1:5060')).toEqual({ host: '127.0.0.1', port: 5060 });
  });

  it('is found in a header, and its parameters are told from those of the header', () => {
    const header = '"a;tag=no <sip:no@no>" <sip:u@h;tag=uri>;tag="yes"';
    expect(uriOf(header)).toBe('sip:u@h;tag=uri');
    expect(parameterOf(header, 'tag')).toBe('yes');
    expect(uriOf('sip:u@h;tag=1')).toBe('sip:u@h');
  });

  it('is split from a list only at commas outside quotes and brackets', () => {
    expect(splitList('"a, b" <sip:c,d@e>, <sip:f@g>')).toEqual(['"a, b" <sip:c,d@e>', '<sip:f@g>']);
  });
});
