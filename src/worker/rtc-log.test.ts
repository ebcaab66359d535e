import { createRequire } from 'node:module';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { replaceRtcLog } from './rtc-log.ts';

it("writes rtc-node's warnings through our log, without the numbers in identities", () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  replaceRtcLog(pino(stream));
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@livekit/rtc-node'));
  const { log } = require(path.join(folder, 'log.cjs')) as { log: pino.Logger };
  log.warn('RoomEvent.TrackMuted: participant sip_+12025550149 not found');
  log.debug('not worth a line');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('RoomEvent.TrackMuted');
  expect(lines[0]).not.toContain('2025550149');
});
