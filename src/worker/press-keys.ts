import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalParticipant } from '@livekit/rtc-node';

/** Keys by their code (RFC 4733, section 3.2). */
const KEYS = '0123456789*#ABCD';

const PAUSES_MS: Readonly<Record<string, number>> = { w: 500, W: 1000 };

/** livekit-sip plays a key for 250 ms and is then silent for as long; a key that comes sooner would overlap. */
const KEY_MS = 600;

/**
 * Sends keys to the far end, one after the other.
 *
 * @param digits `0-9 * # A-D`, `w` for a pause of 0.5 s, `W` for one of 1 s
 * @param signal ends it before the next key
 * @returns how many keys were sent
 */
export async function pressKeys(
  participant: Pick<LocalParticipant, 'publishDtmf'>,
  digits: string,
  signal: AbortSignal,
  keyMs: number = KEY_MS,
): Promise<number> {
  let sent = 0;
  for (const digit of digits) {
    if (signal.aborted) break;
    const code = KEYS.indexOf(digit);
    if (code !== -1) {
      // livekit-sip knows the letters in lower case only, and skips others without a word.
      await participant.publishDtmf(code, digit.toLowerCase());
      sent += 1;
    }
    const waitMs = PAUSES_MS[digit] ?? keyMs;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
  return sent;
}
