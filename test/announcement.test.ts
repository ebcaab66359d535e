import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AudioStream, Room, RoomEvent, type RemoteTrack } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apologyText } from '../src/call/apology/apology-text.ts';
import { APOLOGY_RATE, recordedApology } from '../src/call/apology/recorded-apology.ts';
import { attend, attendanceOf } from '../src/call/attendance.ts';
import { newCallId } from '../src/call/call-id.ts';
import { fleetKey } from '../src/call/heartbeat.ts';
import { enterLiveCall, getLiveCall } from '../src/call/live-calls.ts';
import { endsOf, eventsOf } from '../src/dispatcher/fixtures/events-of.ts';
import { PCMU } from '../src/platform/g711.ts';
import { createLog } from '../src/platform/log.ts';
import { connectRedis, type Redis } from '../src/platform/redis.ts';
import { freePort } from '../src/platform/testing/free-port.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { KnownLines } from '../src/simulator/known-lines.ts';
import { SAMPLE_RATE } from '../src/simulator/leg.ts';
import { Recogniser } from '../src/simulator/recogniser.ts';
import { resample } from '../src/simulator/resample.ts';
import { serverPath } from '../src/stack/binaries.ts';
import { DispatcherFixture } from './dispatcher-fixture.ts';
import { eventually } from './eventually.ts';

/** As in `dispatcher-fixture.ts`. */
const [KEY, SECRET] = ['key', 'a secret that is long enough for livekit'];

let redisServer: RedisServer;
let redis: Redis;
let livekit: ChildProcess;
let livekitUrl: string;
let dispatcher: DispatcherFixture;

beforeAll(async () => {
  redisServer = await RedisServer.start();
  redis = connectRedis(redisServer.url, createLog('test', 'fatal'), 'patient');
  const [port, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()];
  const config = {
    port,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      tcp_port: tcpPort,
      udp_port: udpPort,
      node_ip: '127.0.0.1',
      use_external_ip: false,
      enable_loopback_candidate: true,
    },
    redis: { address: `127.0.0.1:${redisServer.port}` },
    keys: { [KEY]: SECRET },
  };
  livekit = spawn(serverPath('livekit-server'), [], {
    env: { LIVEKIT_CONFIG: JSON.stringify(config) },
    stdio: 'ignore',
  });
  livekitUrl = `ws://127.0.0.1:${port}`;
  await eventually(async () => {
    if (livekit.exitCode !== null) throw new Error('livekit-server did not start');
    const answer = await fetch(livekitUrl.replace('ws', 'http')).catch(() => undefined);
    return answer?.ok ? true : undefined;
  });
  dispatcher = await DispatcherFixture.start({ redisUrl: redisServer.url, livekitUrl });
});

afterAll(async () => {
  await dispatcher.kill();
  const exited = once(livekit, 'exit');
  livekit.kill('SIGKILL');
  await exited;
  redis.disconnect();
  await redisServer.remove();
});

/** Somebody on the line, as livekit-sip joins a room, whose ears know the sentences. */
async function aCaller(roomName: string): Promise<{ room: Room; heard: string[] }> {
  const token = new AccessToken(KEY, SECRET, {
    identity: 'sip_caller',
    attributes: { 'sip.callStatus': 'active', 'sip.trunkPhoneNumber': '+12025550123' },
  });
  token.kind = 'sip';
  token.addGrant({ roomJoin: true, room: roomName, canPublish: true, canSubscribe: true });
  const lines = new KnownLines();
  for (const language of ['en', 'de'] as const) {
    const sound = PCMU.decode(await recordedApology(language));
    lines.add(apologyText(language), resample(sound, APOLOGY_RATE, SAMPLE_RATE));
  }
  const heard: string[] = [];
  const recogniser = new Recogniser(lines);
  recogniser.onHeard(({ text, complete }) =>
    heard.push(complete ? (text ?? '') : 'something else'),
  );
  const room = new Room();
  room.on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
    void listen(track, recogniser);
  });
  await room.connect(livekitUrl, await token.toJwt(), { autoSubscribe: true, dynacast: false });
  return { room, heard };
}

async function listen(track: RemoteTrack, recogniser: Recogniser): Promise<void> {
  for await (const { data } of new AudioStream(track, SAMPLE_RATE, 1)) recogniser.feed(data);
  recogniser.flush();
}

it('with no worker and no vendor, who has lost the agent hears a sentence before the call ends', async () => {
  const call = {
    id: newCallId(),
    room: `in-${newCallId()}`,
    trunk: 'simulator',
    direction: 'inbound',
    since: Date.now(),
  } as const;
  const { room, heard } = await aCaller(call.room);
  const left = new Promise<void>((resolve) => room.once(RoomEvent.Disconnected, () => resolve()));
  await redis.hset(fleetKey('hosts'), 'lost.1', '{"calls":1,"at":0}');
  await enterLiveCall(redis, call);
  expect(await attend(redis, call.id, { agent: 'agent-1', host: 'lost.1' })).toBe(true);

  await left;
  await eventually(async () => ((await getLiveCall(redis, call.id)) ? undefined : true));
  expect(heard).toEqual([apologyText('en')]);
  expect(await eventsOf(redis, call.id)).toMatchObject([
    { type: 'turn', data: { role: 'agent', text: apologyText('en') } },
    { type: 'call.ended', data: { outcome: 'failed', hungUpBy: 'system' } },
  ]);
  expect(await endsOf(redis, call.id)).toHaveLength(1);
  expect(await attendanceOf(redis, call.id)).toBeUndefined();
});
