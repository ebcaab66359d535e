import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

it('says what is wrong with the configuration, all of it at once and without a stack', () => {
  const main = path.join(import.meta.dirname, 'main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main], {
    cwd: '/',
    env: { LOG_LEVEL: 'chatty', API_KEY: 'short' },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/LOG_LEVEL: .*API_KEY: |API_KEY: .*LOG_LEVEL: /s);
  expect(stderr).toContain('LIVEKIT_API_SECRET: is required, and is not set');
  expect(stderr).not.toMatch(/\n +at /);
});
