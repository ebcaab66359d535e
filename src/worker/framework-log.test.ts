import { Writable } from 'node:stream';
import { log as frameworkLog } from '@livekit/agents';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { FrameworkLog, replaceFrameworkLog } from './framework-log.ts';

function recorder() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { log: pino({ level: 'trace' }, stream), lines };
}

describe('FrameworkLog', () => {
  it('keeps the static message and drops every field that may hold what people said', () => {
    const { log, lines } = recorder();
    new FrameworkLog(log)
      .child({ jobId: 'AJ_1', 'lk.pii.room_name': 'in-+12025550123' })
      .warn(
        { 'lk.pii.transcript': 'my card is 4111', speech_id: 'speech_1' },
        'turn ended',
        'secret',
      );
    expect(lines.join('')).not.toMatch(/2025550123|4111|secret/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      framework: 'turn ended',
      jobId: 'AJ_1',
      speech_id: 'speech_1',
    });
  });

  it('keeps the kind, status and message of an error, however it is given', () => {
    const { log, lines } = recorder();
    const error = Object.assign(new Error('bad key'), { statusCode: 401, body: { said: 'hello' } });
    new FrameworkLog(log).error(error, 'failed');
    new FrameworkLog(log).error({ error }, 'failed');
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ failure: { status: 401, message: 'bad key' } });
      expect(line).not.toContain('hello');
    }
  });
});

describe('replaceFrameworkLog', () => {
  it('stays the logger of the framework when the framework sets its own', async () => {
    const { log, lines } = recorder();
    replaceFrameworkLog(log);
    const { initializeLogger } = await import('@livekit/agents');
    initializeLogger({ pretty: false, level: 'info' });
    frameworkLog().warn('still here');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ framework: 'still here' });
  });
});
