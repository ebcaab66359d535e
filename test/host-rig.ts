import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify from 'fastify';
import { RoomServiceClient } from 'livekit-server-sdk';
import { createLog } from '../src/platform/log.ts';
import { connectRedis, type Redis } from '../src/platform/redis.ts';
import { Releases } from '../src/platform/releases.ts';
import { freePort } from '../src/platform/testing/free-port.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { Faults } from '../src/simulator/faults.ts';
import { KnownLines } from '../src/simulator/known-lines.ts';
import { Pace } from '../src/simulator/pace.ts';
import { Script } from '../src/simulator/script.ts';
import { Served } from '../src/simulator/served.ts';
import { Speech } from '../src/simulator/speech.ts';
import { VendorDiary } from '../src/simulator/vendor-diary.ts';
import { mountVendors } from '../src/simulator/vendor-stand-ins.ts';
import { serverPath } from '../src/stack/binaries.ts';
import { HostPool } from '../src/worker/hosts/host-pool.ts';
import type { HostProcess } from '../src/worker/hosts/host-process.ts';
import { agentToken } from '../src/worker/take-over/agent-token.ts';
import { eventually } from './eventually.ts';
import { RoomCaller } from './room-caller.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const ACCESS = {
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'a secret that is long enough for livekit',
  AGENT_NAME: 'trunkline',
};

/** One real host with livekit-server, Redis and the stand-ins of the vendors, and no other process. */
export class HostRig {
  readonly redis: Redis;
  readonly faults: Faults;
  readonly speech: Speech;
  readonly callerLines: KnownLines;
  readonly rooms: RoomServiceClient;
  readonly #pool: HostPool;
  readonly #livekitUrl: string;
  readonly #releases: Releases;
  /** What the host told of calls and of itself. */
  readonly signs: string[] = [];
  readonly recycled: string[] = [];
  readonly lost: string[] = [];

  private constructor(parts: {
    redis: Redis;
    vendors: { faults: Faults; speech: Speech; callerLines: KnownLines };
    livekitUrl: string;
    releases: Releases;
  }) {
    this.redis = parts.redis;
    this.faults = parts.vendors.faults;
    this.speech = parts.vendors.speech;
    this.callerLines = parts.vendors.callerLines;
    this.#livekitUrl = parts.livekitUrl;
    this.#releases = parts.releases;
    this.rooms = new RoomServiceClient(
      parts.livekitUrl.replace('ws', 'http'),
      ACCESS.LIVEKIT_API_KEY,
      ACCESS.LIVEKIT_API_SECRET,
    );
    this.#pool = new HostPool({
      main: path.join(ROOT, 'src/worker/host/main.ts'),
      id: 'rig',
      hosts: 1,
      callsPerHost: 50,
      recycle: { rssBytes: 4e9, ageMs: 86_400_000, calls: 1_000_000 },
      fullLagMs: 60_000,
      log: createLog('test', 'fatal'),
      // A busy machine must not be taken for a stuck host.
      times: { pingMs: 200, stuckMs: 60_000, startMs: 120_000 },
      events: {
        over: () => undefined,
        lost: (_, cause) => this.lost.push(cause),
        recycled: (reason) => this.recycled.push(reason),
        noticed: (sign) => this.signs.push(sign),
      },
    });
    parts.releases.add('host', async () => {
      const hosts = this.#pool.hosts;
      this.#pool.killNow();
      await Promise.all(hosts.map(async (host) => host.exited()));
    });
  }

  static async start(): Promise<HostRig> {
    const releases = new Releases();
    try {
      return await HostRig.#open(releases);
    } catch (thrown) {
      await releases.run();
      throw thrown;
    }
  }

  static async #open(releases: Releases): Promise<HostRig> {
    const server = await RedisServer.start();
    releases.add('redis server', () => server.remove());
    const redis = connectRedis(server.url, createLog('test', 'fatal'), 'patient');
    releases.add('redis', () => redis.disconnect());
    const livekitUrl = await startLiveKit(releases);
    const vendors = {
      speech: new Speech(),
      script: new Script(),
      faults: new Faults(),
      served: new Served(),
      callerLines: new KnownLines(),
      agentLines: new KnownLines(),
      pace: new Pace(),
      diary: new VendorDiary(),
    };
    const app = Fastify({ forceCloseConnections: true });
    await mountVendors(app, vendors);
    await app.listen({ host: '127.0.0.1', port: 0 });
    releases.add('vendors', () => app.close());
    const dataDir = mkdtempSync(path.join(tmpdir(), 'trunkline-host-'));
    releases.add('folder', () => rmSync(dataDir, { recursive: true, force: true }));
    // The host inherits them.
    Object.assign(process.env, {
      ...ACCESS,
      LIVEKIT_URL: livekitUrl,
      REDIS_URL: server.url,
      SIMULATOR_URL: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
      API_KEY: 'a key that is long enough',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'error',
    });
    const rig = new HostRig({ redis, vendors, livekitUrl, releases });
    await eventually(() => {
      if (rig.lost.length > 0) throw new Error('the host did not start');
      return rig.host.state === 'ready' ? true : undefined;
    });
    return rig;
  }

  get host(): HostProcess {
    const [host] = this.#pool.hosts;
    if (!host) throw new Error('there is no host');
    return host;
  }

  /** Somebody calls: a room with the far end in it, and the host's agent on its way. */
  async call(options: { silentLine?: boolean } = {}): Promise<RoomCaller> {
    const id = randomBytes(6).toString('hex');
    const room = `in-${id}`;
    const caller = await RoomCaller.join({
      ...options,
      url: this.#livekitUrl,
      room,
      access: ACCESS,
    });
    const run = `agent-${id}`;
    const call = {
      run,
      job: id,
      room,
      metadata: JSON.stringify({ direction: 'inbound', trunk: 'simulator' }),
      url: this.#livekitUrl,
      token: await agentToken(ACCESS, { room, identity: run }),
    };
    if (!(await this.#pool.place(call, { withinMs: 60_000 }))) throw new Error('no host took it');
    return caller;
  }

  async stop(): Promise<void> {
    await this.#releases.run();
  }
}

async function startLiveKit(releases: Releases): Promise<string> {
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
    keys: { [ACCESS.LIVEKIT_API_KEY]: ACCESS.LIVEKIT_API_SECRET },
  };
  const livekit: ChildProcess = spawn(serverPath('livekit-server'), [], {
    env: { LIVEKIT_CONFIG: JSON.stringify(config) },
    stdio: 'ignore',
  });
  releases.add('livekit-server', async () => {
    const exited = once(livekit, 'exit');
    livekit.kill('SIGKILL');
    await exited;
  });
  await eventually(async () => {
    if (livekit.exitCode !== null) throw new Error('livekit-server did not start');
    const answer = await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
    return answer?.ok ? true : undefined;
  });
  return `ws://127.0.0.1:${port}`;
}
