import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCallId } from '../call/call-id.ts';
import { createLog } from '../platform/log.ts';
import { RequestLog } from './request-log.ts';

let lines: Record<string, unknown>[];
let app: FastifyInstance;
let requestLog: RequestLog;

beforeEach(() => {
  lines = [];
  const log = createLog('test', 'info', {
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  requestLog = new RequestLog(log);
  const instance: FastifyBaseLogger = log;
  app = fastify({ loggerInstance: instance });
  app.decorateRequest('holder', null);
  app.addHook('onResponse', async (request, reply) =>
    requestLog.answered(request, reply, request.routeOptions.url ?? 'none'),
  );
  app.get('/calls/:id', async () => 'x');
  app.get('/broken', async (_request, reply) => reply.code(503).send('x'));
  app.get('/forbidden', async (_request, reply) => reply.code(401).send('x'));
  app.post('/calls', async (_request, reply) => reply.header('x-call-id', CALL).send('x'));
});
afterEach(async () => app.close());

const CALL = newCallId();
const answered = () => lines.filter(({ msg }) => msg === 'answered');

describe('the log of requests', () => {
  it('names the route, the call by its opaque id, and never the address', async () => {
    await app.inject(`/calls/${CALL}?number=%2B12025550123`);
    await app.inject('/calls/outbound-20261121-064408-+12025550123');
    await app.inject({ method: 'POST', url: '/calls' });
    expect(answered()).toMatchObject([
      { method: 'GET', route: '/calls/:id', status: 200, call: CALL },
      { method: 'GET', route: '/calls/:id', status: 200 },
      { method: 'POST', route: '/calls', call: CALL },
    ]);
    expect(answered()[1]).not.toHaveProperty('call');
    const own = lines.filter(({ msg }) => msg === 'answered');
    expect(JSON.stringify(own)).not.toMatch(/2025550|number/);
  });

  it('writes a sample of very many, says how many are missing, and leaves out no failure', async () => {
    for (let times = 0; times < 600; times += 1) {
      await app.inject('/calls/x');
      await app.inject('/forbidden');
    }
    await app.inject('/broken');
    requestLog.close();
    const good = answered().filter(({ status }) => status === 200).length;
    const wrong = answered().filter(({ status }) => status === 401).length;
    expect(good).toBeLessThan(600);
    expect(answered().filter(({ status }) => status === 503)).toMatchObject([{ level: 'warn' }]);
    const [missing] = lines.filter(({ msg }) => String(msg).includes('not written down'));
    expect(missing).toMatchObject({ good: 600 - good, refused: 600 - wrong, bad: 0 });
  });
});
