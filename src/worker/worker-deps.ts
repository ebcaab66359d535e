import type { Room } from '@livekit/rtc-node';
import type { RoomServiceClient, SipClient } from 'livekit-server-sdk';
import type { CallId } from '../call/call-id.ts';
import type { CommandListener } from '../call/command-listener.ts';
import type { EventPublisher } from '../call/event-stream.ts';
import type { JobMetadata } from '../call/job-metadata.ts';
import type { LivePublisher } from '../call/live/live-publisher.ts';
import type { Personalities } from '../personality/personalities.ts';
import type { KeptConnections } from '../personality/providers/kept-connections.ts';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { TalkControl } from './talk-control.ts';
import type { SpokenShelf } from './speaking/spoken-shelf.ts';
import type { CallSign } from './call-sign.ts';
import type { VadShelf } from './vad-shelf.ts';

/** What every call of a process shares. */
export type WorkerDeps = {
  /** Id of this process in the fleet `hosts`. */
  host: string;
  config: Config;
  log: Log;
  redis: Redis;
  events: Pick<EventPublisher, 'publish' | 'send'>;
  live: Pick<LivePublisher, 'send'>;
  rooms: Pick<RoomServiceClient, 'deleteRoom'>;
  sip: Pick<SipClient, 'transferSipParticipant'>;
  /** What operators ask of calls. */
  commands: Pick<CommandListener, 'listen' | 'close'>;
  personalities: Pick<Personalities, 'get' | 'list'>;
  trunks: readonly Trunk[];
  vads: VadShelf;
  /** To the vendors. */
  connections: KeptConnections;
  /** What was spoken before and is said again. */
  spoken: SpokenShelf;
  /** Counts what is wrong within a call. */
  notice: (sign: CallSign) => void;
};

/** One call that a host is given. */
export type CallJob = {
  /** Connected. It stays its owner's, who disconnects it afterwards. */
  room: Room;
  metadata: JobMetadata;
  /** The agent's identity in the room, unique to this run. */
  agent: string;
  /** Aborted when the process must stop now: the call is ended. */
  stop: AbortSignal;
  /** Aborted, before `stop`, when another agent takes the call: it is left without a word to anybody. */
  letGo: AbortSignal;
  /** Called when the conversation can be influenced. */
  onTalking: (control: TalkControl) => void;
  /** Called when the end of the call is on record: nobody else needs to tell it any more. */
  onEndTold: () => void;
  /** Called when the id of the call is known: an inbound one has none before somebody is in its room. */
  onIdentified: (call: CallId) => void;
};
