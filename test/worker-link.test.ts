import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AgentDispatchClient, RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../src/platform/log.ts';
import { freePort } from '../src/platform/testing/free-port.ts';
import { requireProgram } from '../src/stack/binaries.ts';
import { WorkerLink } from '../src/worker/link/worker-link.ts';

const KEY = 'key';
const SECRET = 'a secret of a test, and long enough';
const WAIT = { timeout: 60_000, interval: 50 };

let port: number;
let server: ChildProcess | undefined;
let link: WorkerLink | undefined;

async function start(): Promise<void> {
  server = spawn(requireProgram('livekit-server'), [], {
    env: {
      ...process.env,
      LIVEKIT_CONFIG: JSON.stringify({
        port,
        bind_addresses: ['127.0.0.1'],
        rtc: { tcp_port: await freePort(), udp_port: await freePort(), node_ip: '127.0.0.1' },
        keys: { [KEY]: SECRET },
        logging: { level: 'error' },
      }),
    },
    stdio: 'ignore',
  });
}

async function kill(): Promise<void> {
  const child = server;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

beforeAll(async () => {
  port = await freePort();
  await start();
});
afterEach(async () => {
  await link?.close();
  link = undefined;
});
afterAll(kill);

/** A link whose worker takes every job under the name that it is given. */
async function open(takes = true) {
  const offered: string[] = [];
  const assigned: { room: string; token: string }[] = [];
  const terminated: string[] = [];
  const lost = vi.fn();
  const opened = new WorkerLink({
    url: `ws://127.0.0.1:${port}`,
    apiKey: KEY,
    apiSecret: SECRET,
    agentName: 'tested',
    pingMs: 200,
    log: createLog('test', 'fatal'),
    onOffer: async (job) => {
      offered.push(job.room?.name ?? '');
      return takes ? `agent-${job.id}` : undefined;
    },
    onAssigned: (job, { token }) => assigned.push({ room: job.room?.name ?? '', token }),
    onTerminated: (job) => terminated.push(job),
    onLost: lost,
  });
  link = opened;
  await vi.waitFor(() => expect(opened.registered).toBe(true), WAIT);
  return { link: opened, offered, assigned, terminated, lost };
}

let rooms = 0;
/** Asks for an agent in a new room. Returns the room. */
async function dispatch(): Promise<string> {
  const room = `room-${(rooms += 1)}`;
  const host = `http://127.0.0.1:${port}`;
  await new RoomServiceClient(host, KEY, SECRET).createRoom({ name: room });
  await new AgentDispatchClient(host, KEY, SECRET).createDispatch(room, 'tested');
  return room;
}

describe('the link to livekit-server', () => {
  it('is offered a job, takes it, and gets the access to its room', async () => {
    const { assigned, offered } = await open();
    const room = await dispatch();
    await vi.waitFor(() => expect(assigned).toHaveLength(1), WAIT);
    expect(offered).toEqual([room]);
    const [, claims = ''] = assigned[0]?.token.split('.') ?? [];
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      kind: 'agent',
      sub: expect.stringMatching(/^agent-AJ_/),
      video: { room, roomJoin: true, agent: true, canUpdateOwnMetadata: true },
    });
  });

  it('is offered jobs as long as it is not full, however loaded it is', async () => {
    const { link: opened, assigned } = await open();
    opened.tell({ calls: 99, load: 0.99, full: false });
    await vi.waitFor(async () => {
      await dispatch();
      expect(assigned.length).toBeGreaterThan(0);
    }, WAIT);
  });

  it('is offered nothing from the moment at which it is full', async () => {
    const { link: opened, offered } = await open();
    opened.tell({ calls: 8, load: 1, full: true });
    await dispatch();
    opened.tell({ calls: 7, load: 0.9, full: false });
    const later = await dispatch();
    await vi.waitFor(() => expect(offered).toContain(later), WAIT);
    expect(offered).toEqual([later]);
  });

  it('registers again when livekit-server was killed and comes back', async () => {
    const { link: opened, assigned, lost } = await open();
    await kill();
    await vi.waitFor(() => expect(opened.registered).toBe(false), WAIT);
    expect(lost).toHaveBeenCalledOnce();
    await start();
    await vi.waitFor(() => expect(opened.registered).toBe(true), WAIT);
    const room = await dispatch();
    await vi.waitFor(() => expect(assigned.map((one) => one.room)).toEqual([room]), WAIT);
  });

  it('notices a server that holds the connection and does nothing', async () => {
    const { link: opened, lost } = await open();
    server?.kill('SIGSTOP');
    try {
      await vi.waitFor(() => expect(opened.registered).toBe(false), WAIT);
    } finally {
      server?.kill('SIGCONT');
    }
    expect(lost).toHaveBeenCalled();
    await vi.waitFor(() => expect(opened.registered).toBe(true), WAIT);
  });
});
