import { describe, expect, it } from 'vitest';
import { duration, parseDuration } from './duration.ts';

describe('duration', () => {
  it('reads times as people write them', () => {
    expect(parseDuration('250ms')).toBe(250);
    expect(parseDuration('90s')).toBe(90_000);
    expect(parseDuration('10m')).toBe(600_000);
    expect(parseDuration('1h30m')).toBe(5_400_000);
  });

  it('reads nothing into what is no time', () => {
    for (const text of ['', '10', 'm', '10 m', '-5s', '5s3m', '1.5s']) {
      expect(parseDuration(text), text).toBeUndefined();
    }
  });

  it('says how to write one, and what its limits are', () => {
    const schema = duration('1s', '1m');
    const problemOf = (value: unknown) => schema.safeParse(value).error?.issues[0]?.message;
    expect(problemOf(10)).toMatch(/^must be a time with its unit/);
    expect(problemOf('10')).toMatch(/^must be a time with its unit/);
    expect(problemOf('2m')).toBe('must be between 1s and 1m');
    expect(problemOf('1m')).toBeUndefined();
  });
});
