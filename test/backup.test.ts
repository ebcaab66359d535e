import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StackFixture } from './stack-fixture.ts';

type Calls = { calls: { id: string; outcome: string | null; status: string }[] };

let stack: StackFixture;
let elsewhere: string;
let file: string;
beforeAll(async () => {
  elsewhere = mkdtempSync(path.join(tmpdir(), 'trunkline-restored-'));
  file = path.join(elsewhere, 'backup.tar.gz');
  stack = await StackFixture.start();
});
afterAll(async () => {
  await stack.stop();
  rmSync(elsewhere, { recursive: true });
});

async function listed(one: StackFixture): Promise<Calls['calls']> {
  return ((await (await one.request('GET', '/api/calls')).json()) as Calls).calls;
}

describe('a backup of a stack that works', () => {
  it('is one command while calls go on, and puts all back elsewhere by another', async () => {
    const conversation = path.join(import.meta.dirname, 'conversations/inbound.yaml');
    await stack.run(`simulate --patience 6 ${conversation}`);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = await stack.request('POST', '/api/outbound-call', {
      to_number: '+12025550101',
      schedule_at: later,
    });
    expect(scheduled.status).toBe(200);
    const before = await listed(stack);
    const made = await stack.run(`backup --json --output ${file}`);
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ file, rows: { calls: 2 } });

    const refused = await stack.run(`restore ${file} --replace`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Stop the other api');
    expect(await listed(stack)).toEqual(before);

    const data = path.join(elsewhere, 'data');
    const restored = await stack.run(`restore ${file} --json`, { DATA_DIR: data });
    expect(restored.code, restored.stderr).toBe(0);
    expect(JSON.parse(restored.stdout)).toMatchObject({ openCalls: { ended: 0, queued: 1 } });
    const again = await StackFixture.start({ DATA_DIR: data });
    try {
      expect(await listed(again)).toEqual(before);
      // The queue is as empty as its Redis: the scheduled call is given to it from the ledger.
      const metrics = await (await again.request('GET', '/metrics')).text();
      expect(metrics).toMatch(/trunkline_queue_orders\{state="scheduled"[^}]*\} 1/);
    } finally {
      await again.stop();
    }
  });

  it('leaves nothing half written', () => {
    expect(readdirSync(elsewhere).filter((name) => name !== 'data')).toEqual(['backup.tar.gz']);
  });
});
