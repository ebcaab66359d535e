import { describe, expect, it } from 'vitest';
import { expiryOf } from './expiry.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

describe('when a key expires', () => {
  it.each([
    ['12h', '2026-11-22T00:00:00.000Z'],
    ['90d', '2027-02-19T12:00:00.000Z'],
    ['8w', '2027-01-16T12:00:00.000Z'],
    ['2027-06-30', '2027-06-30T00:00:00.000Z'],
    ['2027-06-30T08:00', '2027-06-30T08:00:00.000Z'],
    ['2027-06-30T08:00:00+02:00', '2027-06-30T06:00:00.000Z'],
  ])('is said as %s', (text, expected) => {
    expect(expiryOf(text, now)).toBe(expected);
  });

  it.each(['', '90', 'd', '-1d', '1.5d', 'tomorrow', '2027-13-01', '30/06/2027'])(
    'is not said as "%s"',
    (text) => {
      expect(() => expiryOf(text, now)).toThrow(/is no time/);
    },
  );
});
