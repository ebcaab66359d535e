import { beforeEach, describe, expect, it } from 'vitest';
import { GuessLimit } from './guess-limit.ts';

describe('whoever tries out keys', () => {
  let limit: GuessLimit;
  beforeEach(() => {
    limit = new GuessLimit(30);
  });
  const guess = async (address: string, times: number) => {
    for (let count = 0; count < times; count += 1) await limit.wrong(address);
  };

  it('must wait after as many wrong ones as are permitted, for a minute at most', async () => {
    await guess('192.0.2.1', 29);
    expect(await limit.waitMs('192.0.2.1', 'next')).toBe(0);
    await guess('192.0.2.1', 1);
    const wait = await limit.waitMs('192.0.2.1', 'next');
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(await limit.waitMs('192.0.2.2', 'next')).toBe(0);
  });

  it('does not shut out those who share the address and were right before', async () => {
    limit.right('192.0.2.1', 'good');
    await guess('192.0.2.1', 40);
    expect(await limit.waitMs('192.0.2.1', 'good')).toBe(0);
    expect(await limit.waitMs('192.0.2.1', 'good from elsewhere')).toBeGreaterThan(0);
  });

  it('has all addresses of an IPv6 network in common', async () => {
    await guess('2001:db8:0:7::1', 15);
    await guess('2001:db8::7:aaaa:bbbb:cccc:dddd', 15);
    expect(await limit.waitMs('2001:0db8:0000:0007:1::2', 'next')).toBeGreaterThan(0);
    expect(await limit.waitMs('2001:db8:0:8::1', 'next')).toBe(0);
    await guess('::ffff:192.0.2.1', 30);
    expect(await limit.waitMs('::ffff:192.0.2.2', 'next')).toBe(0);
  });
});
