import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const conversations = path.join(import.meta.dirname, 'conversations');

/** Words that stand nowhere else, in each place that holds what nobody else may read. */
const SECRET = {
  smtpPassword: 'smtp-pass-Quagga17',
  chatPath: 'chat-hook-Okapi23',
  wrongKey: 'wrong-api-key-Numbat42-0123456789',
  callback: 'callback-token-Dugong58',
  prompt: 'Mention the zorilla under no circumstances.',
  variable: 'Philomena Quokkafield',
  metadata: 'crm-note-Axolotl99',
  greeting: 'Ahoy from the kinkajou clinic',
};
const NUMBERS = ['+12025550186', '+12025550103', '+493022446688', '+12025550100'];

let stack: StackFixture;
let chat: Server;
let folder: string;
const supervisor: string[] = [];
/** What was said in the conversations. */
const lines: string[] = [];
let call: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'secrecy-'));
  chat = createServer((request, response) => {
    request.resume();
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(chat, 'listening');
  const { port } = chat.address() as AddressInfo;
  stack = await StackFixture.start({
    LOG_LEVEL: 'debug',
    NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${port}/${SECRET.chatPath}`,
    NOTIFY_EMAIL_TO: 'night@example.com',
    NOTIFY_EMAIL_FROM: 'trunkline@example.com',
    SMTP_URL: `smtp://bot:${SECRET.smtpPassword}@127.0.0.1:${port}`,
    SECRET_TOOL_TOKEN: 'tool-token-Pangolin64',
  });
  for (const stream of [stack.supervisor.stdout, stack.supervisor.stderr]) {
    stream?.on('data', (chunk: Buffer) => supervisor.push(chunk.toString()));
  }
});
afterAll(async () => {
  await stack.stop();
  chat.close();
  rmSync(folder, { recursive: true });
});

/** A conversation of the project's, ordered with what is secret, and its lines. */
function withSecrets(name: string): string {
  const whole = parse(readFileSync(path.join(conversations, name), 'utf8')) as {
    order?: Record<string, unknown>;
    steps: Record<string, { says?: string }>[];
  };
  for (const step of whole.steps) {
    for (const { says } of Object.values(step)) if (says !== undefined) lines.push(says);
  }
  const order = whole.order && {
    ...whole.order,
    llm_prompt: SECRET.prompt,
    metadata: { note: SECRET.metadata },
    callback_url: `http://127.0.0.1:9/?token=${SECRET.callback}`,
  };
  const file = path.join(folder, name);
  writeFileSync(file, stringify({ ...whole, ...(order ? { order } : {}) }));
  return file;
}

describe('a stack that logs everything', () => {
  it.each(['inbound.yaml', 'outbound.yaml'])('holds a conversation: %s', async (name) => {
    const { code, stdout, stderr } = await stack.run(`simulate --patience 6 ${withSecrets(name)}`);
    expect(code, stdout + stderr).toBe(0);
  });

  it.each(NUMBERS.slice(0, 2))('makes a call that fails: %s', async (to) => {
    const response = await stack.request('POST', '/api/outbound-call', {
      to_number: to,
      personality: 'appointment_reminder',
      llm_prompt: SECRET.prompt,
      greeting: SECRET.greeting,
      variables: { name: SECRET.variable },
      metadata: { note: SECRET.metadata },
      callback_url: `http://127.0.0.1:9/?token=${SECRET.callback}`,
    });
    expect(response.status).toBe(200);
    call = response.headers.get('x-call-id') ?? '';
    const { call_id: publicId } = (await response.json()) as { call_id: string };
    // The public id holds the number, and stands in the address.
    await eventually(async () => {
      const answer = await stack.request('GET', `/api/calls/${encodeURIComponent(publicId)}`);
      const { status } = (await answer.json()) as { status: string };
      return status === 'ended' ? true : undefined;
    });
  });

  it('refuses what is wrong', async () => {
    const wrong = await stack.request('GET', '/api/calls', undefined, {
      'x-api-key': SECRET.wrongKey,
    });
    expect(wrong.status).toBe(401);
    for (const [url, body] of [
      ['/api/outbound-call', { to_number: NUMBERS[2], personality: SECRET.variable }],
      ['/api/outbound-call', { to_number: '+1202555', greeting: SECRET.greeting, extra: 1 }],
    ] as const) {
      expect((await stack.request('POST', url, body)).status).toBe(400);
    }
    const query = encodeURIComponent(NUMBERS[3] ?? '');
    for (const url of [`/api/calls/${query}`, `/nowhere/${query}`, `/api/calls?number=${query}`]) {
      await (await stack.request('GET', url)).text();
    }
  });

  it('cannot reach the operator, and says so without telling where', async () => {
    const { code, stdout, stderr } = await stack.run('notify test');
    expect(code).toBe(1);
    expect(stdout).toContain('✗ chat: NOTIFY_WEBHOOK_URL answered HTTP 500');
    expect(stdout).toContain('✗ mail: ');
    supervisor.push(stdout, stderr);
    const health = await (await stack.request('GET', '/health')).text();
    expect(health).toContain('"notifications"');
    supervisor.push(health);
    const config = await stack.run('config');
    supervisor.push(config.stdout, config.stderr);
  });
});

describe('the notifier of the api', () => {
  it('looks by itself, and finds nothing wrong', async () => {
    const redis = new Redis(stack.info.redisUrl);
    try {
      const book = await eventually(
        async () => (await redis.get('trunkline:notify:book')) ?? undefined,
      );
      const { alarms } = JSON.parse(book) as { alarms: Record<string, { state: string }> };
      expect(Object.entries(alarms).filter(([, { state }]) => state === 'told')).toEqual([]);
    } finally {
      redis.disconnect();
    }
    expect(stack.logs()['api.log']).not.toContain('could not look for trouble');
  });
});

describe('of all that its processes wrote', () => {
  it('nothing holds a number, a secret, a prompt or what was said', () => {
    const needles = [
      ...NUMBERS.map((number) => number.slice(1)),
      ...Object.values(SECRET),
      'tool-token-Pangolin64',
      stack.info.apiKey,
      stack.info.livekitApiSecret,
      ...lines,
    ];
    expect(lines.length).toBeGreaterThan(8);
    const written: Record<string, string> = { ...stack.logs(), supervisor: supervisor.join('\n') };
    expect(Object.keys(written).length).toBeGreaterThan(8);
    for (const [name, text] of Object.entries(written)) {
      expect(text.length, name).toBeGreaterThan(0);
      const found = text.split('\n').filter((line) => needles.some((one) => line.includes(one)));
      expect(found, name).toEqual([]);
    }
  });

  it('every line of a host that is about a call names it, or its job while it has no name', () => {
    const worker = stack.logs()['worker.log'] ?? '';
    const calls = new Set<string>();
    const nameless = new Set<string>();
    for (const line of worker.split('\n').filter((one) => one.startsWith('{'))) {
      const entry = JSON.parse(line) as {
        pid: number;
        call?: string;
        job?: string;
        msg: string;
        framework?: string;
      };
      if (entry.pid === stack.pidOf('worker')) continue;
      if (entry.call !== undefined) calls.add(entry.call);
      else if (entry.job === undefined) nameless.add(entry.framework ?? entry.msg);
    }
    expect(calls.size).toBeGreaterThanOrEqual(4);
    expect([...nameless]).toEqual([expect.stringContaining('NO VENDOR KEY IS SET')]);
  });

  it('one id leads through the logs of all processes that had the call', () => {
    const logs = stack.logs();
    for (const name of ['api.log', 'dispatcher.log', 'worker.log', 'livekit-server.log']) {
      expect(logs[name], name).toContain(call);
    }
  });

  it('the metrics hold neither numbers nor ids of calls', async () => {
    const { api, dispatcher, worker, trunkMonitor } = stack.info.ports;
    const documented = readFileSync(
      path.resolve(import.meta.dirname, '../docs/metrics.md'),
      'utf8',
    );
    for (const port of [api, dispatcher, worker, trunkMonitor]) {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(text).not.toMatch(/call_0|\+\d{7}|\b1202555/);
      for (const [, name] of text.matchAll(/^# TYPE (\w+) /gm)) {
        expect(documented).toContain(`\`${name}\``);
      }
    }
    const text = await (await fetch(`http://127.0.0.1:${api}/metrics`)).text();
    expect(text).toMatch(/trunkline_calls_ended_total\{[^}]*outcome="busy"[^}]*\} [1-9]/);
    expect(text).toMatch(/trunkline_trunk_answers_total\{[^}]*status="486"[^}]*\} [1-9]/);
    expect(text).toMatch(/trunkline_trunk_answers_total\{[^}]*status="200"[^}]*\} [1-9]/);
    expect(text).toMatch(/trunkline_turn_latency_seconds_count\{[^}]*stage="total"[^}]*\} [1-9]/);
    expect(text).toMatch(/trunkline_dial_wait_seconds_count\{[^}]*\} [1-9]/);
    expect(text).toMatch(/trunkline_worker_slots\{[^}]*state="capacity"[^}]*\} 8/);
    expect(text).toMatch(/trunkline_processes\{[^}]*fleet="trunk-monitors"[^}]*\} 1/);
  });
});
