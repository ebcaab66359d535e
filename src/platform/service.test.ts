import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it, vi } from 'vitest';

const script = `
import { createLog } from '${path.join(import.meta.dirname, 'log.ts')}';
import { runService } from '${path.join(import.meta.dirname, 'service.ts')}';
const log = createLog('test', 'warn');
await runService(log, async (releases) => {
  const timer = setInterval(() => {
    log.debug('detail');
    log.warn('tick');
  }, 20);
  releases.add('timer', () => clearInterval(timer));
});
`;

it('logs everything after SIGUSR2, and as before after another', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const next = async () => {
    output = '';
    await vi.waitFor(() => expect(output.split('tick').length).toBeGreaterThan(3), {
      timeout: 20_000,
    });
    return output;
  };
  try {
    expect(await next()).not.toContain('detail');
    child.kill('SIGUSR2');
    await vi.waitFor(async () => expect(await next()).toContain('detail'), { timeout: 20_000 });
    child.kill('SIGUSR2');
    await vi.waitFor(async () => expect(await next()).not.toContain('detail'), { timeout: 20_000 });
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});
