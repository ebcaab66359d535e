import { DrizzleQueryError } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { createLog, type Log } from './log.ts';

it('starts with a level that there is not, which the configuration then reports', () => {
  expect(createLog('test', 'chatty').level).toBe('info');
  expect(createLog('test', 'warn').level).toBe('warn');
});

/** What a logger writes. */
function written(write: (log: Log) => void, always?: () => Record<string, unknown>): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(createLog('test', 'debug', { destination, ...(always ? { always } : {}) }));
  return lines.join('');
}

describe('an error in the log', () => {
  it('has its kind, code, message, place and causes', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const text = written((log) =>
      log.warn({ err: new TypeError('fetch failed', { cause }) }, 'it failed'),
    );
    expect(JSON.parse(text)).toMatchObject({
      level: 'warn',
      msg: 'it failed',
      err: {
        type: 'TypeError',
        message: 'fetch failed',
        at: expect.arrayContaining([expect.stringContaining('log.test.ts')]),
        cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
      },
    });
  });

  it('does not tell the command of Redis that failed, nor what stood in it', () => {
    const error = Object.assign(new Error('OOM command not allowed'), {
      name: 'ReplyError',
      command: { name: 'xadd', args: ['trunkline:events', '{"text":"My PIN is 4711"}'] },
    });
    expect(written((log) => log.error({ err: error }, 'could not publish'))).not.toContain('4711');
  });

  it('does not tell the parameters of a query that failed', () => {
    const failed = new DrizzleQueryError('insert', ['My PIN is 4711'], new Error('disk full'));
    const wrapped = new Error('no luck', { cause: failed });
    for (const err of [failed, wrapped]) {
      const text = written((log) => log.error({ err }, 'could not write'));
      expect(text).toContain('disk full');
      expect(text).not.toContain('4711');
    }
  });

  it('is described in the lines of a child, too', () => {
    const error = Object.assign(new Error('no'), { command: 'My PIN is 4711' });
    expect(written((log) => log.child({ a: 1 }).error({ err: error }, 'x'))).not.toContain('4711');
  });
});

it('gives every line the fields that it always has, and lets a line say otherwise', () => {
  const lines = written(
    (log) => {
      log.info('one');
      log.info({ call: 'call_b' }, 'two');
    },
    () => ({ call: 'call_a' }),
  ).split('\n');
  expect(lines[0]).toContain('"call":"call_a"');
  expect(lines[1]).toContain('"call":"call_b"');
  expect(lines[1]).not.toContain('call_a');
});

it('masks numbers', () => {
  expect(written((log) => log.info({ to: '+12025550123' }, 'x'))).not.toContain('2025550123');
});
