import type { voice } from '@livekit/agents';
import type { Room } from '@livekit/rtc-node';
import type { Log } from '../platform/log.ts';
import { within } from './within.ts';

/** Longest wait for the agent to fall silent at the end of the call. */
const BREAK_OFF_MS = 1000;

/** Longest wait for the framework to close its session; 10 to 50 ms are usual. */
const CLOSE_MS = 2000;

export type ClosableSession = {
  interrupt(): { await: Promise<unknown> };
  close(): Promise<void>;
};

/**
 * Closes the session of a call, whoever may have left its room before. Never throws, and resolves within
 * 3 s: what the framework has not released by then ends with the process.
 */
export async function closeSession(
  session: ClosableSession | voice.AgentSession,
  room: Pick<Room, 'localParticipant'>,
  log: Log,
): Promise<void> {
  stopAwaitingSubscriber(room);
  // Closing detaches the output first, and then nobody knows what had been heard.
  await within(breakOff(session), BREAK_OFF_MS);
  if (!(await within(session.close(), CLOSE_MS))) log.warn('the session did not close in time');
}

async function breakOff(session: ClosableSession | voice.AgentSession): Promise<void> {
  await session.interrupt().await;
}

/**
 * The framework (1.9.0, `ParticipantAudioOutput.start`) waits without a limit for somebody to hear its
 * track, and breaking off and closing wait for that. Who hangs up at once is gone before livekit-server has told of
 * the subscription.
 */
function stopAwaitingSubscriber({ localParticipant }: Pick<Room, 'localParticipant'>): void {
  for (const publication of localParticipant?.trackPublications.values() ?? []) {
    publication.resolveFirstSubscription();
  }
}
