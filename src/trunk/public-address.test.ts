import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { askStun, findPublicAddress, isPrivate } from './public-address.ts';

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

it('takes PUBLIC_IP before it looks anywhere', async () => {
  expect(await findPublicAddress('203.0.113.7')).toEqual({
    address: '203.0.113.7',
    source: 'PUBLIC_IP',
  });
});

it('reads the address from the answer of a STUN server', async () => {
  const server = createSocket('udp4');
  server.on('message', (request, from) => {
    const answer = Buffer.alloc(40);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(20, 2);
    request.copy(answer, 4, 4, 20);
    // SOFTWARE, of three letters and one of padding, stands before XOR-MAPPED-ADDRESS.
    answer.writeUInt16BE(0x8022, 20);
    answer.writeUInt16BE(3, 22);
    answer.write('abc', 24);
    answer.writeUInt16BE(0x0020, 28);
    answer.writeUInt16BE(8, 30);
    answer.writeUInt8(1, 33);
    answer.writeUInt32BE((0xcb007107 ^ 0x2112a442) >>> 0, 36);
    server.send(answer, from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await askStun(`127.0.0.1:${server.address().port}`, 2000)).toBe('203.0.113.7');
  server.close();
});

it('gives up on a STUN server that does not answer', async () => {
  const silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  expect(await askStun(`127.0.0.1:${silent.address().port}`, 50)).toBeUndefined();
  silent.close();
});
