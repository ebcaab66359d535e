import { asError } from '../../platform/errors.ts';
import { maskNumbers } from '../../platform/mask.ts';
import type { FromAnnouncer, ToAnnouncer } from './announcer-message.ts';
import { speakInRoom } from './speak-in-room.ts';

/**
 * The process that says the recorded sentence in rooms. It is one of its own so that the native library, its
 * memory and whatever goes wrong in it stay out of the dispatcher. It writes nothing: rtc-node names rooms and
 * identities, which are numbers.
 */
process.on('message', (message: ToAnnouncer) => {
  void announce(message);
});
process.on('disconnect', () => process.exit(0));
// A Ctrl-C reaches the whole group; the dispatcher ends this process when the sentence has been said.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

async function announce({ id, value }: ToAnnouncer): Promise<void> {
  try {
    await speakInRoom(value);
    send({ case: 'announced', id });
  } catch (thrown) {
    send({ case: 'failed', id, reason: maskNumbers(asError(thrown).message) });
  }
}

function send(message: FromAnnouncer): void {
  process.send?.(message);
}
