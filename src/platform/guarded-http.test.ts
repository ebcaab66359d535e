import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AddressPolicy, AddressRefused } from './address-policy.ts';
import { GuardedHttp, type Resolve } from './guarded-http.ts';

describe('the policy of addresses', () => {
  const policy = new AddressPolicy([]);

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%lo',
    'fec0::1',
    'ff02::1',
  ])('refuses %s', (address) => {
    expect(policy.refusalOf(address)).toBeInstanceOf(AddressRefused);
  });

  it.each(['1.1.1.1', '93.184.215.14', '172.32.0.1', '2606:4700::1111', '64:ff9b::101:101'])(
    'permits %s',
    (address) => {
      expect(policy.refusalOf(address)).toBeUndefined();
    },
  );

  it('permits the networks that it is told, in any way of writing their addresses', () => {
    const own = new AddressPolicy(['10.0.0.0/8', '192.168.1.5', 'fd00::/8', '::1/128']);
    for (const address of ['10.9.8.7', '::ffff:10.9.8.7', '192.168.1.5', 'fd12::1', '::1']) {
      expect(own.refusalOf(address)).toBeUndefined();
    }
    for (const address of ['127.0.0.1', '192.168.1.6', 'fc00::1', '169.254.169.254']) {
      expect(own.refusalOf(address)).toBeInstanceOf(AddressRefused);
    }
  });

  it('names the network that people know', () => {
    expect(policy.refusalOf('10.1.2.3')?.network).toBe('10.0.0.0/8');
    expect(policy.refusalOf('::ffff:172.17.0.2')?.network).toBe('172.16.0.0/12');
    expect(policy.refusalOf('198.18.0.1')?.network).toBe('198.18.0.1/32');
  });
});

describe('guarded HTTP', () => {
  const clients: GuardedHttp[] = [];
  let port: number;
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (request.url === '/redirect') {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
    } else if (request.url === '/endless') {
      response.writeHead(200).write('x'.repeat(100_000));
    } else {
      response.writeHead(204).end();
    }
  });
  server.on('connection', () => {
    connections += 1;
  });

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => client.close()));
  });

  const client = (permitted: string[], resolve?: Resolve): GuardedHttp => {
    const made = new GuardedHttp(new AddressPolicy(permitted), resolve ? { resolve } : {});
    clients.push(made);
    return made;
  };
  const post = async (http: GuardedHttp, url: string) =>
    http.post(url, {
      headers: {},
      body: '{}',
      limitMs: 10_000,
      signal: new AbortController().signal,
    });

  it.each(['127.0.0.1', 'localhost', '2130706433', '0177.0.0.1', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'does not connect to http://%s',
    async (host) => {
      const before = connections;
      await expect(post(client([]), `http://${host}:${port}/`)).rejects.toThrow(AddressRefused);
      expect(connections).toBe(before);
    },
  );

  it('checks each address that a name gives, at each connection', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const rebinding: Resolve = (_, callback) =>
      callback(null, [{ address: answers.shift() ?? '', family: 4 }]);
    const http = client(['127.0.0.0/8'], rebinding);
    expect(await post(http, `http://receiver.example:${port}/`)).toMatchObject({ status: 204 });
    const other = `http://receiver.example:${port + 1}/`;
    await expect(post(http, other)).rejects.toThrow('10.0.0.1');
  });

  it('takes the permitted address of several', async () => {
    const several: Resolve = (_, callback) =>
      callback(null, [
        { address: '10.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const http = client(['127.0.0.0/8'], several);
    expect(await post(http, `http://receiver.example:${port}/`)).toMatchObject({ status: 204 });
  });

  it('does not follow redirects', async () => {
    const before = requests;
    const answer = await post(client(['127.0.0.1']), `http://127.0.0.1:${port}/redirect`);
    expect(answer.status).toBe(307);
    expect(requests).toBe(before + 1);
  });

  it('does not wait for a body that never ends', async () => {
    const answer = await post(client(['127.0.0.1']), `http://127.0.0.1:${port}/endless`);
    expect(answer.status).toBe(200);
  });
});
