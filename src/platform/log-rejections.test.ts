import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { Log } from './log.ts';
import { logRejections } from './log-rejections.ts';

it('writes down what failed, where and how often, and not the message', () => {
  const lines: Record<string, unknown>[] = [];
  const log = { warn: (fields: Record<string, unknown>) => lines.push(fields) } as unknown as Log;
  const source = new EventEmitter();
  logRejections(log, source);
  const failure = Object.assign(new TypeError('he said\nmy name is Ada'), { statusCode: 503 });
  source.emit('unhandledRejection', failure);
  source.emit('unhandledRejection', 'my name is Ada');

  expect(lines[0]).toMatchObject({ failure: 'TypeError', status: 503, count: 1 });
  expect(JSON.stringify(lines[0])).toContain('log-rejections.test.ts');
  expect(lines[1]).toEqual({ failure: 'string', count: 2 });
  expect(JSON.stringify(lines)).not.toContain('Ada');
});
