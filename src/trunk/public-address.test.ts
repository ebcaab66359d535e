import { expect, it } from 'vitest';
import { isPrivate } from './public-address.ts';

it('knows which addresses nobody on the Internet reaches', () => {
  const unreachable = [
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
  ];
  const reachable = ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860:4860::8888'];
  expect(unreachable.filter((address) => !isPrivate(address))).toEqual([]);
  expect(reachable.filter((address) => isPrivate(address))).toEqual([]);
});
