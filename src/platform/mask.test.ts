import { describe, expect, it } from 'vitest';
import { maskNumbers } from './mask.ts';

describe('masking', () => {
  it.each([
    ['sip:+12025550123@127.0.0.1', 'sip:+12*******23@127.0.0.1'],
    ['room in_+12025550123_x9Yz', 'room in_+12*******23_x9Yz'],
    ['sip_4915112345678 joined', 'sip_49*********78 joined'],
    ['"to":"+12025550123"', '"to":"+12*******23"'],
    ['outbound-20261121-064408-+12025550123', 'outbound-20261121-064408-+12*******23'],
    ['callid=%2B12025550123', 'callid=%2B12*******23'],
    ['<sip:12025550123@10.0.0.1:5060>', '<sip:12*******23@10.0.0.1:5060>'],
  ])('hides the number in %s', (text, masked) => {
    expect(maskNumbers(text)).toBe(masked);
  });

  it.each([
    'call_01kbx3f4zq8v9e5d6c7b8a9012',
    'port 127.0.0.1:50600',
    'took 1234 ms',
    '"ts":1795242454.0571',
    '2026-11-21T06:44:08.123Z',
  ])('leaves %s alone', (text) => {
    expect(maskNumbers(text)).toBe(text);
  });
});
