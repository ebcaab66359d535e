import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OUTBOUND_QUEUE } from '../src/call/order.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

type Call = {
  status: string;
  outcome: string | null;
  reason: string | null;
  timeline: { type: string }[];
};

let stack: StackFixture;
beforeAll(async () => {
  // Short, so that a call whose dispatcher died is known to be over soon.
  stack = await StackFixture.start({ RING_TIMEOUT_SECONDS: '6' });
});
afterAll(() => stack.stop());

async function order(to: string): Promise<string> {
  const response = await stack.request('POST', '/api/outbound-call', {
    to_number: to,
    personality: 'appointment_reminder',
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { call_id: string }).call_id;
}

async function call(id: string): Promise<Call> {
  return (await (
    await stack.request('GET', `/api/calls/${encodeURIComponent(id)}`)
  ).json()) as Call;
}

async function invites(to: string): Promise<number> {
  const url = `${stack.info.simulatorUrl}/simulator/phone/invites?to=${encodeURIComponent(to)}`;
  return ((await (await fetch(url)).json()) as { invites: unknown[] }).invites.length;
}

/** The process of the dispatcher that runs now; the supervisor starts a killed one again. */
async function dispatcher(): Promise<number> {
  return eventually(async () => {
    const { stdout } = await stack.run('ps --json');
    const rows = JSON.parse(stdout) as { name: string; pid: number; state: string }[];
    return rows.find(({ name, state }) => name === 'dispatcher' && state === 'running')?.pid;
  });
}

/** Waits until no job is left: also the killed dispatcher's has been found again and brought to its end. */
async function settled(): Promise<void> {
  const { host, port } = parseAddress(stack.info.redisUrl);
  const queue = new Queue(OUTBOUND_QUEUE, { connection: { host, port } });
  try {
    await eventually(async () => {
      const counts = await queue.getJobCounts('active', 'waiting', 'delayed', 'prioritized');
      return Object.values(counts).every((count) => count === 0) ? true : undefined;
    });
  } finally {
    await queue.close();
  }
}

function parseAddress(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

const reached = (id: string, type: string) =>
  eventually(async () => {
    const { timeline } = await call(id);
    return timeline.some((event) => event.type === type) ? true : undefined;
  });

describe('a dispatcher that is killed', () => {
  // Numbers of the simulated phone: 0100 to 0149 answer, 0180 rings for ever, 0187 never reacts.
  it.each([
    ['as soon as the order is accepted', '+12025550131', () => Promise.resolve(true), [0, 1]],
    [
      'when it has recorded that it dials',
      '+12025550132',
      (id: string) => reached(id, 'call.dialing'),
      [0, 1],
    ],
    ['while the phone rings', '+12025550180', (id: string) => reached(id, 'call.ringing'), [1]],
    ['while the trunk is silent', '+12025550187', (id: string) => reached(id, 'call.dialing'), [1]],
    ['after the answer', '+12025550133', (id: string) => reached(id, 'call.answered'), [1]],
  ] as const)('sends no second INVITE: %s', async (_when, number, moment, allowed) => {
    const id = await order(number);
    await moment(id);
    process.kill(await dispatcher(), 'SIGKILL');
    await settled();
    // None where the kill came between the fence and the INVITE: then the call is ended, not dialled.
    expect(allowed).toContain(await invites(number));
    const { status, outcome, reason, timeline } = await eventually(async () => {
      const now = await call(id);
      return now.status === 'in_progress' || now.status === 'ended' ? now : undefined;
    });
    expect(timeline.filter(({ type }) => type === 'call.dialing').length).toBeLessThanOrEqual(1);
    // The callee of an answered call is still on the line; of any other call the end is on record.
    if (status === 'ended') expect([outcome, reason]).not.toContain(null);
  });

  it('has its calls made by the next one where nothing was dialled yet', async () => {
    process.kill(await dispatcher(), 'SIGKILL');
    const id = await order('+12025550134');
    await reached(id, 'call.answered');
    await settled();
    expect(await invites('+12025550134')).toBe(1);
  });
});
