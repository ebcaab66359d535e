import { Agent, request } from 'node:http';

/** What the parent asks of this process. */
export type LoadOrder = { url: string; key: string; rate: number; seconds: number; warmUp: number };

/** What it answers: of each request sent after the warm-up, when it should have left and how it went. */
export type LoadReport = {
  latenciesMs: number[];
  /** Answers by their status; 0 stands for none. */
  statuses: Record<number, number>;
  /** Ids of accepted calls, those of the warm-up included. */
  accepted: string[];
  /** Most that a request left later than it should have, in ms. */
  latestMs: number;
};

type Answer = { status: number; callId: string | undefined };

/**
 * Sends orders at a fixed rate, whether or not those before have been answered, and measures each from the moment
 * at which it should have left: a server that stands still is not spared the requests that it held up.
 */
async function load(order: LoadOrder): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const report: LoadReport = { latenciesMs: [], statuses: {}, accepted: [], latestMs: 0 };
  const total = Math.round(order.rate * (order.warmUp + order.seconds));
  const measuredFrom = order.rate * order.warmUp;
  const answers: Promise<void>[] = [];
  const start = performance.now();
  const dueAt = (index: number) => start + (index * 1000) / order.rate;
  const send = async (index: number, due: number): Promise<void> => {
    const late = performance.now() - due;
    const answer = await place(agent, order, index);
    const took = performance.now() - due;
    if (answer.callId !== undefined) report.accepted.push(answer.callId);
    if (index < measuredFrom) return;
    report.latestMs = Math.max(report.latestMs, late);
    report.latenciesMs.push(took);
    report.statuses[answer.status] = (report.statuses[answer.status] ?? 0) + 1;
  };
  await new Promise<void>((resolve) => {
    let next = 0;
    const timer = setInterval(() => {
      for (; next < total && dueAt(next) <= performance.now(); next += 1) {
        answers.push(send(next, dueAt(next)));
      }
      if (next < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(answers);
  agent.destroy();
  return report;
}

/** An order as integrators send them: with a key of its own, variables and metadata. */
async function place(agent: Agent, { url, key }: LoadOrder, index: number): Promise<Answer> {
  const body = JSON.stringify({
    to_number: `+1202555${String((index * 7919) % 10_000).padStart(4, '0')}`,
    personality: 'appointment_reminder',
    caller_name: 'Trunkline Dental',
    variables: { name: 'Ada Lovelace', time: '9:30' },
    metadata: { crm_id: index, list: 'november' },
  });
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, callId: undefined });
    const outgoing = request(`${url}/api/outbound-call`, {
      agent,
      method: 'POST',
      headers: {
        'x-api-key': key,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'idempotency-key': `bench-${process.pid}-${index}`,
      },
    });
    outgoing.once('error', none);
    outgoing.once('response', (response) => {
      const callId = response.headers['x-call-id'];
      response.resume();
      response.once('error', none);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          callId: typeof callId === 'string' ? callId : undefined,
        }),
      );
    });
    outgoing.end(body);
  });
}

async function answer(order: LoadOrder): Promise<void> {
  const report = await load(order);
  process.send?.(report, () => process.disconnect());
}

process.once('message', (order: LoadOrder) => void answer(order));
