import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

type Problem = { status: number; title: string; detail: string };

let stack: StackFixture;
beforeAll(async () => {
  stack = await StackFixture.start();
});
afterAll(() => stack.stop());

const good = { to_number: '+12025550120', personality: 'appointment_reminder' };

async function order(
  body: unknown,
  headers: Record<string, string> = {},
): Promise<[Response, Problem]> {
  const response = await stack.request('POST', '/api/outbound-call', body, headers);
  return [response, (await response.json()) as Problem];
}

async function calls(): Promise<number> {
  const response = await stack.request('GET', '/api/calls');
  return ((await response.json()) as { calls: unknown[] }).calls.length;
}

describe('bad input', () => {
  it.each([
    ['a wrong key', good, { 'x-api-key': 'wrong' }, 401, /key/i],
    ['an unknown field', { ...good, colour: 'red' }, {}, 400, /colour/],
    [
      'a number without its country',
      { ...good, to_number: '2025550120' },
      {},
      400,
      /\+12025550123/,
    ],
    ['a number that cannot be', { ...good, to_number: '+1202555' }, {}, 400, /too short/],
    [
      'a personality that does not exist',
      { ...good, personality: 'butler' },
      {},
      400,
      /receptionist/,
    ],
    ['a trunk that does not exist', { ...good, trunk: 'no-such' }, {}, 400, /loopback/],
  ] as const)('is refused with the remedy: %s', async (_what, body, headers, status, detail) => {
    const before = await calls();
    const [response, problem] = await order(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(problem)).toMatch(detail);
    expect(await calls()).toBe(before);
  });
});

describe('without Redis', () => {
  it('an order is refused with 503 and Retry-After, and nothing of it is done later', async () => {
    const before = await calls();
    process.kill(stack.pidOf('redis'), 'SIGSTOP');
    try {
      const [response] = await order(good);
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      process.kill(stack.pidOf('redis'), 'SIGCONT');
    }
    process.kill(stack.pidOf('redis'), 'SIGKILL');
    const [response] = await order(good);
    // Redis may be back already: then the order is taken, and counts.
    const taken = response.status === 200 ? 1 : 0;
    if (taken === 0) expect(response.status).toBe(503);
    const accepted = await eventually(async () => {
      const [again] = await order(good, { 'idempotency-key': 'after-redis' });
      return again.status === 200 ? again : undefined;
    });
    expect(accepted.status).toBe(200);
    expect(await calls()).toBe(before + 1 + taken);
  });
});
