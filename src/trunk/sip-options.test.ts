import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sendOptions } from './sip-options.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A UDP socket that answers a request, where `answer` gives a text. */
async function udpServer(answer: (request: string, count: number) => string | undefined) {
  const socket = createSocket('udp4');
  let count = 0;
  socket.on('message', (message, from) => {
    count += 1;
    const text = answer(message.toString(), count);
    if (text !== undefined) socket.send(text, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closers.push(() => socket.close());
  return { host: '127.0.0.1', port: socket.address().port, transport: 'udp' as const };
}

it('takes any answer for a sign of life, a refusal too', async () => {
  const target = await udpServer(() => 'SIP/2.0 403 Forbidden\r\n\r\n');
  expect(await sendOptions(target, 2000)).toMatchObject({ answered: true, status: 403 });
});

it('asks again when a packet is lost', async () => {
  const target = await udpServer((_, count) => (count < 2 ? undefined : 'SIP/2.0 200 OK\r\n\r\n'));
  const pulse = await sendOptions(target, 3000);
  expect(pulse).toMatchObject({ answered: true, status: 200 });
});

it('sends a whole request', async () => {
  let request = '';
  const target = await udpServer((text) => {
    request = text;
    return 'SIP/2.0 200 OK\r\n\r\n';
  });
  await sendOptions(target, 2000);
  expect(request).toMatch(/^OPTIONS sip:127\.0\.0\.1:\d+;transport=udp SIP\/2\.0\r\n/);
  for (const header of ['Via', 'Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq']) {
    expect(request).toContain(`\r\n${header}: `);
  }
  expect(request.endsWith('\r\n\r\n')).toBe(true);
});

it('says that nobody answers, or nobody listens, or it is not SIP', async () => {
  expect(await sendOptions(await udpServer(() => undefined), 300)).toEqual({
    answered: false,
    reason: 'no answer came',
  });
  expect(await sendOptions(await udpServer(() => 'HTTP/1.1 200 OK'), 2000)).toEqual({
    answered: false,
    reason: 'what answers does not speak SIP',
  });
  const gone = await udpServer(() => undefined);
  for (const close of closers.splice(0)) close();
  expect(await sendOptions(gone, 2000)).toEqual({
    answered: false,
    reason: 'nothing listens at its port',
  });
});

it('asks over TCP', async () => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('SIP/2.0 200 OK\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const target = { host: '127.0.0.1', transport: 'tcp' as const };
  const { port } = server.address() as AddressInfo;
  expect(await sendOptions({ ...target, port }, 2000)).toMatchObject({
    answered: true,
    status: 200,
  });
  expect(await sendOptions({ ...target, port: 1 }, 2000)).toEqual({
    answered: false,
    reason: 'nothing listens at its port',
  });
});
