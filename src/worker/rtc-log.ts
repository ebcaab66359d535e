import { createRequire } from 'node:module';
import path from 'node:path';
import type { Logger } from 'pino';
import { maskNumbers } from '../platform/mask.ts';
import type { Log } from '../platform/log.ts';

/**
 * rtc-node writes to standard output by a logger of its own that it does not export, and its warnings name
 * participants, whose identities are numbers. From now on they go through ours.
 */
export function replaceRtcLog(log: Log): void {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@livekit/rtc-node'));
  const { log: rtcLog } = require(path.join(folder, 'log.cjs')) as { log: Logger };
  rtcLog.level = 'warn';
  const stream = {
    write: (line: string) => {
      const { msg } = JSON.parse(line) as { msg?: string };
      log.warn({ rtc: maskIdentities(msg ?? '') }, 'rtc-node');
    },
  };
  // Its pino is a copy of its own, and so are that copy's symbols.
  const streamSymbol = Object.getOwnPropertySymbols(rtcLog).find(
    ({ description }) => description === 'pino.stream',
  );
  if (streamSymbol) Object.defineProperty(rtcLog, streamSymbol, { value: stream });
}

/** Identities and room names of inbound calls are numbers with something around them. */
function maskIdentities(text: string): string {
  return maskNumbers(text.replaceAll(/\bsip_\S+/g, 'sip_***'));
}
