import { setTimeout as sleep } from 'node:timers/promises';
import { ParticipantInfo_Kind } from '@livekit/protocol';
import { ParticipantInfo_State, ServerError } from 'livekit-server-sdk';
import type { CallId } from '../call/call-id.ts';
import { PHONE_IDENTITY, READY_ATTRIBUTE, type JobMetadata } from '../call/job-metadata.ts';
import { closeRoom, type LiveKit } from '../platform/livekit.ts';
import { managedTrunk } from '../trunk/managed.ts';

/** Who is in a call's room. `phone` is the far end's `sip.callStatus`; other states of it count as dialing. */
export type RoomState = {
  phone: 'absent' | 'dialing' | 'ringing' | 'active';
  agent: 'absent' | 'joined' | 'ready';
  /** Somebody is on the line, under whatever identity: inbound callers have another than `phone`. */
  onTheLine: boolean;
};

/** Agents alone do not keep a room open, so it must outlast the wait for one and what precedes the dial. */
const EMPTY_TIMEOUT_S = 120;

/** After the phone has left; the worker ends the call long before. */
const DEPARTURE_TIMEOUT_S = 20;

const AGENT_POLL_MS = 150;

/** The server SDK brings a protocol of its own version and does not export these, so they are compared as numbers. */
const AGENT_KIND: number = ParticipantInfo_Kind.AGENT;
const SIP_KIND: number = ParticipantInfo_Kind.SIP;

/** livekit-server drops a job that no worker takes within 10 s. */
const JOIN_MS = 12_000;
const READY_MS = 20_000;

/** Who is in the room of an inbound call. */
export type InboundRoomState = {
  agent: boolean;
  /** Attributes of the caller's SIP participant; undefined where nobody calls (any more). */
  caller: Readonly<Record<string, string>> | undefined;
};

/** The rooms of calls. An outbound call's is made here and named by its id, an inbound call's by livekit-sip. */
export class CallRooms {
  readonly #livekit: LiveKit;
  readonly #agentName: string;

  constructor(livekit: LiveKit, agentName: string) {
    this.#livekit = livekit;
    this.#agentName = agentName;
  }

  /** Makes the room and sends an agent to it. Idempotent: what an earlier attempt made is used. */
  async prepare(callId: CallId, trunk: string): Promise<void> {
    const metadata: JobMetadata = { direction: 'outbound', callId, trunk };
    await this.#livekit.rooms.createRoom({
      name: callId,
      emptyTimeout: EMPTY_TIMEOUT_S,
      departureTimeout: DEPARTURE_TIMEOUT_S,
      metadata: JSON.stringify({ direction: 'outbound', trunk }),
    });
    const dispatches = await this.#livekit.agents.listDispatch(callId);
    if (dispatches.some((dispatch) => dispatch.agentName === this.#agentName)) return;
    await this.#livekit.agents.createDispatch(callId, this.#agentName, {
      metadata: JSON.stringify(metadata),
    });
  }

  /** Waits until an agent has started its session in the room. False: none came in time. */
  async agentReady(callId: CallId, signal: AbortSignal): Promise<boolean> {
    const start = performance.now();
    while (!signal.aborted) {
      const { agent } = await this.state(callId);
      if (agent === 'ready') return true;
      const waited = performance.now() - start;
      if (waited > (agent === 'absent' ? JOIN_MS : READY_MS)) return false;
      await sleep(AGENT_POLL_MS);
    }
    return false;
  }

  /** A room that does not exist is one without participants. */
  async state(room: string): Promise<RoomState> {
    const state: RoomState = { phone: 'absent', agent: 'absent', onTheLine: false };
    for (const participant of await this.#livekit.rooms.listParticipants(room)) {
      if (participant.state === ParticipantInfo_State.DISCONNECTED) continue;
      const kind: number = participant.kind;
      state.onTheLine ||= participant.attributes['sip.callStatus'] === 'active';
      if (participant.identity === PHONE_IDENTITY) {
        state.phone = phoneState(participant.attributes['sip.callStatus']);
      } else if (
        kind === AGENT_KIND &&
        participant.state === ParticipantInfo_State.ACTIVE &&
        state.agent !== 'ready'
      ) {
        state.agent = participant.attributes[READY_ATTRIBUTE] === '1' ? 'ready' : 'joined';
      }
    }
    return state;
  }

  /** As `state`, for a room that livekit-sip made; an agent counts from the moment at which it joins. */
  async inboundState(room: string): Promise<InboundRoomState> {
    const state: InboundRoomState = { agent: false, caller: undefined };
    for (const participant of await this.#livekit.rooms.listParticipants(room)) {
      if (participant.state === ParticipantInfo_State.DISCONNECTED) continue;
      const kind: number = participant.kind;
      if (kind === AGENT_KIND) state.agent = true;
      if (kind === SIP_KIND) state.caller ??= participant.attributes;
    }
    return state;
  }

  /** Asks once more for an agent in a room that exists. */
  async askForAgent(room: string, metadata: JobMetadata): Promise<void> {
    await this.#livekit.agents.createDispatch(room, this.#agentName, {
      metadata: JSON.stringify(metadata),
    });
  }

  /** Identities of the agents in a room, also of those whose process is lost: livekit-server keeps them for 21 s. */
  async agents(room: string): Promise<string[]> {
    const participants = await this.#livekit.rooms.listParticipants(room);
    return participants
      .filter(({ kind }: { kind: number }) => kind === AGENT_KIND)
      .map(({ identity }) => identity);
  }

  /** Puts somebody out of a room. Idempotent. */
  async remove(room: string, identity: string): Promise<void> {
    try {
      await this.#livekit.rooms.removeParticipant(room, identity);
    } catch (thrown) {
      if (!(thrown instanceof ServerError && thrown.code === 'not_found')) throw thrown;
    }
  }

  async exists(room: string): Promise<boolean> {
    return (await this.#livekit.rooms.listRooms([room])).some(({ name }) => name === room);
  }

  /** The trunk that an inbound call came over, by LiveKit's id of it; undefined where it is not one of ours. */
  async trunkOfInbound(trunkId: string): Promise<string | undefined> {
    const trunks = await this.#livekit.sip.listSipInboundTrunk({ trunkIds: [trunkId] });
    const info = trunks.find(({ sipTrunkId }) => sipTrunkId === trunkId);
    return info && managedTrunk(info);
  }

  /** Ends the room: an INVITE that rings is cancelled, a call that is on gets BYE. Idempotent. */
  async close(room: string): Promise<void> {
    await closeRoom(this.#livekit.rooms, room);
  }

  /** Names of all rooms that exist now. */
  async names(): Promise<Set<string>> {
    const rooms = await this.#livekit.rooms.listRooms();
    return new Set(rooms.map((room) => room.name));
  }
}

function phoneState(callStatus: string | undefined): RoomState['phone'] {
  return callStatus === 'active' || callStatus === 'ringing' ? callStatus : 'dialing';
}
