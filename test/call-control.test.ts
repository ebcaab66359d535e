import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { OUTBOUND_QUEUE } from '../src/call/order.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

type Call = {
  id: string;
  status: string;
  outcome: string | null;
  reason: string | null;
  hung_up_by: string | null;
  timeline: { type: string; data: Record<string, unknown> }[];
  turns: { role: string; text: string }[];
};

/** A call as the simulated phone saw it. */
type Invite = {
  keys: string;
  transfers: string[];
  end: { by: string; status?: number; at: number } | null;
};

/** The phone's numbers: 0120 to 0149 answer, 0173 answers and refuses a REFER with 603, 0180 rings for ever. */
const PATIENT = 6;

let stack: StackFixture;
let drafts: string;
let queue: Queue;

beforeAll(async () => {
  drafts = mkdtempSync(path.join(tmpdir(), 'call-control-'));
  stack = await StackFixture.start();
  const { hostname, port } = new URL(stack.info.redisUrl);
  queue = new Queue(OUTBOUND_QUEUE, { connection: { host: hostname, port: Number(port) } });
});
afterAll(async () => {
  await queue.close();
  await stack.stop();
  rmSync(drafts, { recursive: true });
});

async function order(to: string, more: Record<string, unknown> = {}): Promise<string> {
  const body = { to_number: to, personality: 'appointment_reminder', ...more };
  const response = await stack.request('POST', '/api/outbound-call', body);
  expect(response.status).toBe(200);
  return response.headers.get('x-call-id') ?? '';
}

async function look(id: string): Promise<Call> {
  return (await (await stack.request('GET', `/api/calls/${id}`)).json()) as Call;
}

async function reached(id: string, status: string): Promise<Call> {
  return eventually(async () => {
    const call = await look(id);
    return call.status === status ? call : undefined;
  });
}

async function tell(
  id: string,
  what: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await stack.request('POST', `/api/calls/${id}/${what}`, body, headers);
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

async function invites(to: string): Promise<Invite[]> {
  const url = `${stack.info.simulatorUrl}/simulator/phone/invites?to=${encodeURIComponent(to)}`;
  return ((await (await fetch(url)).json()) as { invites: Invite[] }).invites;
}

/** The only call that the phone had for this number, when it is over there. */
async function endAtPhone(to: string): Promise<Invite['end']> {
  return eventually(async () => {
    const [only, ...others] = await invites(to);
    expect(others).toEqual([]);
    return only?.end ?? undefined;
  });
}

const eventsOf = (call: Call, type: string) => call.timeline.filter((event) => event.type === type);

/** Runs a conversation; `meanwhile` gets the call's id once it is answered. */
async function converse(
  name: string,
  content: object,
  meanwhile: (id: string) => Promise<void>,
): Promise<string> {
  const file = path.join(drafts, `${name}.yaml`);
  writeFileSync(file, stringify(content));
  const known = await callIds();
  const finished = stack.run(`simulate --patience ${PATIENT} ${file}`);
  const id = await Promise.race([
    eventually(async () => (await callIds()).find((candidate) => !known.includes(candidate))),
    finished.then(({ stdout, stderr }) => {
      throw new Error(`no call came of it:\n${stdout}${stderr}`);
    }),
  ]);
  await reached(id, 'in_progress');
  await meanwhile(id);
  const { code, stdout, stderr } = await finished;
  expect(code, stdout + stderr).toBe(0);
  return id;
}

async function callIds(): Promise<string[]> {
  const { calls } = (await (await stack.request('GET', '/api/calls?limit=200')).json()) as {
    calls: { id: string }[];
  };
  return calls.map(({ id }) => id);
}

describe('canceling a call', () => {
  it('that is scheduled for tomorrow ends it now and takes it out of the queue', async () => {
    const to = '+12025550130';
    const id = await order(to, { schedule_at: new Date(Date.now() + 86_400_000).toISOString() });
    expect(await queue.getJobState(id)).toBe('delayed');
    const { status, answer } = await tell(id, 'cancel');
    expect([status, answer]).toEqual([
      200,
      expect.objectContaining({ status: 'ended', outcome: 'canceled', hung_up_by: 'operator' }),
    ]);
    expect(await queue.getJobState(id)).toBe('unknown');
    expect(await invites(to)).toEqual([]);
    expect((await tell(id, 'cancel')).status).toBe(200);
    expect((await tell(id, 'dtmf', { digits: '1' })).status).toBe(409);
  });

  it('that waits in the queue, or that the queue has lost, ends it without a dispatcher', async () => {
    const dispatcher = stack.pidOf('dispatcher');
    const [waiting, lost] = ['+12025550131', '+12025550132'];
    process.kill(dispatcher, 'SIGSTOP');
    try {
      const ids = await Promise.all([order(waiting), order(lost)]);
      await queue.remove(ids[1] ?? '');
      for (const id of ids) {
        const { status, answer } = await tell(id, 'cancel');
        expect([status, answer['outcome']]).toEqual([200, 'canceled']);
      }
    } finally {
      process.kill(dispatcher, 'SIGCONT');
    }
    // The dispatcher has worked again when this call is answered.
    await reached(await order('+12025550133'), 'in_progress');
    expect([await invites(waiting), await invites(lost)]).toEqual([[], []]);
  });

  it('that rings sends CANCEL to the phone', async () => {
    const to = '+12025550180';
    const id = await order(to);
    await reached(id, 'ringing');
    const { status, answer } = await tell(id, 'cancel');
    expect([status, answer['outcome'], answer['hung_up_by']]).toEqual([
      200,
      'canceled',
      'operator',
    ]);
    expect(await endAtPhone(to)).toMatchObject({ by: 'remote', status: 487 });
  });

  it('that is answered is refused, and says what to do instead', async () => {
    const id = await order('+12025550134');
    await reached(id, 'in_progress');
    const { status, answer } = await tell(id, 'cancel');
    expect([status, answer['detail']]).toEqual([409, expect.stringContaining('/hangup')]);
    expect((await look(id)).status).toBe('in_progress');
    await tell(id, 'hangup');
  });

  it('in the moment of its answer ends in one truth', async () => {
    // 0171 answers at once, without ringing.
    const id = await order('+12025550171');
    await reached(id, 'dialing');
    const { status } = await tell(id, 'cancel');
    const call = await look(id);
    if (status === 200) expect(call.outcome).toBe('canceled');
    else expect([status, call.timeline.at(-1)?.type]).toEqual([409, 'call.answered']);
    await tell(id, 'hangup');
    const { hung_up_by: by, timeline } = await reached(id, 'ended');
    expect(by).toBe('operator');
    expect(timeline.filter(({ type }) => type === 'call.dialing')).toHaveLength(1);
    expect((await endAtPhone('+12025550171'))?.by).toBe('remote');
  });
});

describe('hanging a call up', () => {
  it('sends BYE to the phone and tells the ledger who did it', async () => {
    const to = '+12025550135';
    const id = await order(to);
    await reached(id, 'in_progress');
    const { status, answer } = await tell(id, 'hangup');
    expect([status, answer]).toEqual([
      200,
      expect.objectContaining({
        id,
        status: 'ended',
        outcome: 'completed',
        reason: 'The call was ended by an operator.',
        hung_up_by: 'operator',
      }),
    ]);
    const end = await endAtPhone(to);
    expect([end?.by, end?.status]).toEqual(['remote', undefined]);
    expect((await tell(id, 'hangup')).status).toBe(200);
    expect((await tell(id, 'cancel')).status).toBe(409);
  });

  it('that still rings cancels it', async () => {
    const to = '+12025550181';
    const id = await order(to);
    await reached(id, 'ringing');
    expect((await tell(id, 'hangup')).answer['outcome']).toBe('canceled');
    expect(await endAtPhone(to)).toMatchObject({ by: 'remote', status: 487 });
  });

  it('with last words has them heard by the caller before the end', async () => {
    const say = 'I am sorry, the practice is closing now. Goodbye.';
    const id = await converse(
      'last-words',
      {
        call: { to: '+12025550110' },
        steps: [
          { agent: { says: 'Hello, thank you for calling Trunkline Dental, how can I help?' } },
          { caller: { says: 'I would like to book a check-up, please.' } },
          { agent: { says: 'Gladly. Which day would suit you best?' } },
          { caller: { silence_ms: 100 } },
          { agent: { says: say, hangs_up: true } },
        ],
        expect: { outcome: 'completed', hung_up_by: 'operator' },
      },
      async (call) => {
        await eventually(async () =>
          (await look(call)).turns.some(({ text }) => text.includes('Which day'))
            ? true
            : undefined,
        );
        expect((await tell(call, 'hangup', { say })).status).toBeLessThan(300);
      },
    );
    expect((await look(id)).turns.at(-1)).toMatchObject({ role: 'agent', text: say });
  });

  it('works where the worker was killed, and what needs the agent is refused', async () => {
    const to = '+12025550136';
    const id = await order(to);
    await reached(id, 'in_progress');
    // A group: the processes of calls go with it, and nobody tells the end.
    process.kill(-stack.pidOf('worker'), 'SIGKILL');
    const keys = await tell(id, 'dtmf', { digits: '1' });
    expect([keys.status, keys.answer['type']]).toEqual([409, 'urn:trunkline:problem:no-agent']);
    const { status, answer } = await tell(id, 'hangup');
    expect([status, answer['outcome'], answer['hung_up_by']]).toEqual([
      200,
      'completed',
      'operator',
    ]);
    expect((await endAtPhone(to))?.by).toBe('remote');
    await eventually(async () => {
      const { stdout } = await stack.run('ps --json');
      const rows = JSON.parse(stdout) as { name: string; state: string }[];
      return rows.some(({ name, state }) => name === 'worker' && state === 'running') || undefined;
    });
  });
});

describe('sending keys', () => {
  it('has the phone hear each of them, once, and leaves them in no log and no ledger', async () => {
    const to = '+12025550137';
    const digits = '98w76543#*A';
    const pressed = digits.replace('w', '');
    const id = await order(to);
    await reached(id, 'in_progress');
    const key = { 'idempotency-key': 'keys-of-one-call' };
    const first = await tell(id, 'dtmf', { digits }, key);
    expect([first.status, first.answer]).toEqual([200, { status: 'done' }]);
    await eventually(async () => (await invites(to))[0]?.keys === pressed || undefined);
    expect((await tell(id, 'dtmf', { digits }, key)).status).toBe(200);
    expect((await tell(id, 'dtmf', { digits: '5' }, key)).status).toBe(422);
    const { answer } = await tell(id, 'hangup');
    expect(answer['status']).toBe('ended');
    expect((await tell(id, 'dtmf', { digits }, key)).status).toBe(200);
    expect((await invites(to))[0]?.keys).toBe(pressed);
    const call = await look(id);
    expect(eventsOf(call, 'call.dtmf')).toMatchObject([
      { data: { direction: 'sent', count: pressed.length } },
    ]);
    expect(JSON.stringify(call)).not.toContain('76543');
    for (const [name, text] of Object.entries(stack.logs()))
      expect(text, name).not.toContain('76543');
  });

  it('is refused before the answer', async () => {
    const id = await order('+12025550180');
    await reached(id, 'ringing');
    const { status, answer } = await tell(id, 'dtmf', { digits: '1' });
    expect([status, answer['type']]).toEqual([409, 'urn:trunkline:problem:not-answered']);
    await tell(id, 'cancel');
  });
});

describe('transferring a call', () => {
  it('asks the phone by REFER, and the call ends as transferred', async () => {
    const [to, target] = ['+12025550138', '+12025550142'];
    const id = await order(to);
    await reached(id, 'in_progress');
    const { status, answer } = await tell(id, 'transfer', { to: target });
    expect([status, answer]).toEqual([200, { status: 'done' }]);
    const call = await reached(id, 'ended');
    expect(call).toMatchObject({
      outcome: 'completed',
      reason: 'The call was transferred.',
      hung_up_by: 'operator',
    });
    expect(eventsOf(call, 'call.transfer').map(({ data }) => data['state'])).toEqual([
      'started',
      'completed',
    ]);
    expect((await invites(to))[0]?.transfers).toEqual([expect.stringContaining(target)]);
    expect(JSON.stringify(call.timeline)).not.toContain(target.slice(1));
    for (const [name, text] of Object.entries(stack.logs())) {
      expect(text, name).not.toContain(target.slice(1));
    }
  });

  it('that is refused leaves the caller with the agent, who talks on', async () => {
    const id = await converse(
      'refused-transfer',
      {
        order: {
          to_number: '+12025550173',
          personality: 'appointment_reminder',
          variables: { name: 'Ada Lovelace', time: '9:30' },
        },
        steps: [
          { agent: {} },
          { caller: { silence_ms: 6000 } },
          { caller: { says: 'Yes, I will be there.' } },
          { agent: { says: 'Thank you. See you then.' } },
          { caller: { hangs_up: true } },
        ],
        expect: { outcome: 'completed', hung_up_by: 'callee', invites: 1 },
      },
      async (call) => {
        const { status, answer } = await tell(call, 'transfer', { to: '+12025550142' });
        expect([status, answer['sip_status'], answer['type']]).toEqual([
          409,
          603,
          'urn:trunkline:problem:far-end-refused',
        ]);
      },
    );
    expect(eventsOf(await look(id), 'call.transfer').map(({ data }) => data)).toMatchObject([
      { state: 'started', by: 'operator' },
      { state: 'failed', by: 'operator', sipStatus: 603 },
    ]);
  });

  it('goes only where the trunk permits', async () => {
    const id = await order('+12025550139');
    await reached(id, 'in_progress');
    for (const to of ['sip:desk@pbx.example.com', 'the office', 'sip:a b@c']) {
      expect([to, (await tell(id, 'transfer', { to })).status]).toEqual([to, 400]);
    }
    expect((await look(id)).status).toBe('in_progress');
    await tell(id, 'hangup');
  });
});

describe('trunkline call', () => {
  it('shows calls without their numbers, and does what the api does', async () => {
    const to = '+12025550140';
    const id = await order(to);
    await reached(id, 'in_progress');
    const list = await stack.run('call list --status in_progress');
    expect([list.code, list.stdout]).toEqual([0, expect.stringContaining(id)]);
    const keys = await stack.run(`call dtmf ${id} 1#`);
    expect([keys.code, keys.stdout]).toEqual([0, 'The keys were sent.\n']);
    const hangup = await stack.run(`call hangup ${id}`);
    expect([hangup.code, hangup.stdout]).toEqual([
      0,
      `${id} has ended: completed, by operator. The call was ended by an operator.\n`,
    ]);
    const show = await stack.run(`call show ${id}`);
    expect(show.stdout).toContain('call.dtmf');
    expect(list.stdout + show.stdout).not.toContain(to.slice(1));
    const cancel = await stack.run(`call cancel ${id}`);
    expect([cancel.code, cancel.stderr]).toEqual([1, expect.stringContaining('has ended')]);
  });
});

describe('a call that nobody knows', () => {
  it.each([
    ['hangup', undefined],
    ['cancel', undefined],
    ['dtmf', { digits: '1' }],
    ['transfer', { to: '+12025550142' }],
  ])('cannot be told anything: %s', async (what, body) => {
    expect((await tell('call_00000000000000000000000000', what, body)).status).toBe(404);
  });
});
