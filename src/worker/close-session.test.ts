import type { Room } from '@livekit/rtc-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../platform/log.ts';
import { closeSession, type ClosableSession } from './close-session.ts';

/** A room with one published track of ours, and the promise that somebody hears it. */
function roomWithTrack(): { room: Pick<Room, 'localParticipant'>; heard: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const publication = { resolveFirstSubscription: resolve };
  const localParticipant = { trackPublications: new Map([['TR_1', publication]]) };
  return { room: { localParticipant } as unknown as Room, heard: promise };
}

describe('closeSession', () => {
  const warn = vi.fn();
  const log = { warn } as unknown as Log;

  beforeEach(() => {
    vi.useFakeTimers();
    warn.mockReset();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('closes a session that waits for somebody to hear it, when nobody is there any more', async () => {
    const { room, heard } = roomWithTrack();
    const session: ClosableSession = {
      interrupt: () => ({ await: Promise.resolve() }),
      close: () => heard,
    };
    await closeSession(session, room, log);
    expect(warn).not.toHaveBeenCalled();
  });

  it('lets the agent break off before the session closes', async () => {
    const steps: string[] = [];
    const silent = Promise.withResolvers<void>();
    const session: ClosableSession = {
      interrupt: () => ({ await: silent.promise.then(() => steps.push('silent')) }),
      close: async () => void steps.push('closed'),
    };
    const closed = closeSession(session, roomWithTrack().room, log);
    await vi.advanceTimersByTimeAsync(500);
    silent.resolve();
    await closed;
    expect(steps).toEqual(['silent', 'closed']);
  });

  it('gives up on a session that does neither within three seconds, and says so', async () => {
    const never = new Promise<never>(() => undefined);
    const session: ClosableSession = { interrupt: () => ({ await: never }), close: () => never };
    const closed = closeSession(session, { localParticipant: undefined }, log);
    await vi.advanceTimersByTimeAsync(3000);
    await closed;
    expect(warn).toHaveBeenCalledOnce();
  });

  it('closes a session that has nothing to break off', async () => {
    const close = vi.fn(async () => undefined);
    const interrupt = () => {
      throw new Error('AgentSession is not running');
    };
    await closeSession({ interrupt, close }, { localParticipant: undefined }, log);
    expect(close).toHaveBeenCalledOnce();
  });
});
