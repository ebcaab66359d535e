import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('starts with a level that there is not, which the configuration then reports', () => {
  expect(createLog('test', 'chatty').level).toBe('info');
  expect(createLog('test', 'warn').level).toBe('warn');
});
