import type { Room } from '@livekit/rtc-node';
import type { RoomServiceClient } from 'livekit-server-sdk';
import type { EventPublisher } from '../call/event-stream.ts';
import type { JobMetadata } from '../call/job-metadata.ts';
import type { Personalities } from '../personality/personalities.ts';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { VadShelf } from './vad-shelf.ts';

/** What every call of a process shares. */
export type WorkerDeps = {
  config: Config;
  log: Log;
  redis: Redis;
  events: Pick<EventPublisher, 'publish'>;
  rooms: Pick<RoomServiceClient, 'deleteRoom'>;
  personalities: Pick<Personalities, 'get'>;
  trunks: readonly Trunk[];
  vads: VadShelf;
};

/** One call that a worker is given. */
export type CallJob = {
  /** Connected. It stays its owner's, who disconnects it afterwards. */
  room: Room;
  metadata: JobMetadata;
  /** Aborted when the process must stop now: the call is ended. */
  stop: AbortSignal;
  /** Called when the end of the call is on record: nobody else needs to tell it any more. */
  onEndTold: () => Promise<void>;
};
