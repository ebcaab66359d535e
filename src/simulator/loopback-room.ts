import {
  AudioSource,
  LocalAudioTrack,
  Room,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import type { Config } from '../platform/config.ts';
import { SAMPLE_RATE } from './leg.ts';
import { LoopbackVoice, SOURCE_QUEUE_MS } from './loopback-voice.ts';

const IDENTITY = 'simulated-caller';

/** Joins a room of its own as the simulated caller, with a microphone. The first to join makes the room. */
export async function joinAsCaller(
  config: Pick<Config, 'LIVEKIT_URL' | 'LIVEKIT_API_KEY' | 'LIVEKIT_API_SECRET'>,
  roomName: string,
): Promise<{ room: Room; voice: LoopbackVoice }> {
  const token = new AccessToken(config.LIVEKIT_API_KEY, config.LIVEKIT_API_SECRET, {
    identity: IDENTITY,
  });
  token.addGrant({ roomJoin: true, room: roomName, canPublish: true, canSubscribe: true });
  const room = new Room();
  await room.connect(config.LIVEKIT_URL, await token.toJwt(), {
    autoSubscribe: true,
    dynacast: false,
  });
  const source = new AudioSource(SAMPLE_RATE, 1, SOURCE_QUEUE_MS);
  try {
    const participant = room.localParticipant;
    if (!participant) throw new Error('the room has no local participant');
    const track = LocalAudioTrack.createAudioTrack('voice', source);
    await participant.publishTrack(
      track,
      new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
    );
    return { room, voice: new LoopbackVoice(source, participant) };
  } catch (thrown) {
    await source.close();
    await room.disconnect();
    throw thrown;
  }
}
