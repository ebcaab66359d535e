import { setTimeout as sleep } from 'node:timers/promises';
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { APOLOGY_RATE } from '../../call/apology/recorded-apology.ts';
import { PCMU } from '../../platform/g711.ts';
import { withinMs } from '../../platform/time-limit.ts';
import type { Announcement } from './announcer-message.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = (APOLOGY_RATE * FRAME_MS) / 1000;

const CONNECT_MS = 5000;
/** livekit-sip takes a new track within some 100 ms; nobody there who would is no reason not to try. */
const LISTENER_MS = 2000;
/** Beyond the length of the sentence. */
const PLAY_MARGIN_MS = 5000;
/** What has left the source is on its way to the ear for some 250 ms: the last word must not be cut off. */
const ON_ITS_WAY_MS = 600;

/**
 * Joins a room, says a sentence to whoever is on the line, and leaves.
 * @throws where it could not be said.
 */
export async function speakInRoom({ url, token, sound }: Announcement): Promise<void> {
  const samples = PCMU.decode(Buffer.from(sound, 'base64'));
  const lengthMs = (samples.length / APOLOGY_RATE) * 1000;
  // The native code panics where this is no multiple of 10.
  const queueMs = 1000 * Math.ceil(lengthMs / 1000);
  const room = new Room();
  const heard = Promise.withResolvers<void>();
  room.on(RoomEvent.LocalTrackSubscribed, () => heard.resolve());
  try {
    await withinMs(CONNECT_MS, room.connect(url, token, { autoSubscribe: false, dynacast: false }));
    const source = new AudioSource(APOLOGY_RATE, 1, queueMs);
    try {
      const track = LocalAudioTrack.createAudioTrack('apology', source);
      const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
      const published = room.localParticipant?.publishTrack(track, options);
      await withinMs(CONNECT_MS, Promise.resolve(published));
      await withinMs(LISTENER_MS, heard.promise).catch(() => undefined);
      for (let start = 0; start < samples.length; start += FRAME_SAMPLES) {
        const frame = new Int16Array(FRAME_SAMPLES);
        frame.set(samples.subarray(start, start + FRAME_SAMPLES));
        await source.captureFrame(new AudioFrame(frame, APOLOGY_RATE, 1, FRAME_SAMPLES));
      }
      await withinMs(lengthMs + PLAY_MARGIN_MS, source.waitForPlayout());
      await sleep(ON_ITS_WAY_MS);
    } finally {
      await source.close();
    }
  } finally {
    await room.disconnect();
  }
}
