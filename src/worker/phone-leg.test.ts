import { EventEmitter } from 'node:events';
import { DisconnectReason, ParticipantKind, RoomEvent, type Room } from '@livekit/rtc-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PhoneLeg } from './phone-leg.ts';

const participant = (identity: string, kind: ParticipantKind = ParticipantKind.SIP) => ({
  identity,
  info: { kind },
  attributes: {} as Record<string, string>,
  disconnectReason: undefined as DisconnectReason | undefined,
});
type FakeParticipant = ReturnType<typeof participant>;

class FakeRoom extends EventEmitter {
  remoteParticipants = new Map<string, FakeParticipant>();
}

/** Names of the promises of a leg that are fulfilled by now. */
async function reached(leg: PhoneLeg): Promise<string[]> {
  const names: string[] = [];
  for (const name of ['joined', 'ringing', 'answered', 'gone'] as const) {
    void leg[name].then(() => names.push(name));
  }
  await vi.advanceTimersByTimeAsync(0);
  return names;
}

describe('PhoneLeg', () => {
  let room: FakeRoom;
  const open = (identity?: string) => new PhoneLeg(room as unknown as Room, identity);
  const leave = (who: FakeParticipant, reason: DisconnectReason) =>
    room.emit(RoomEvent.ParticipantDisconnected, Object.assign(who, { disconnectReason: reason }));

  beforeEach(() => {
    vi.useFakeTimers();
    room = new FakeRoom();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('follows the first SIP participant, and nobody else, from joining to hanging up', async () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, participant('agent', ParticipantKind.AGENT));
    expect(await reached(leg)).toEqual([]);
    room.emit(RoomEvent.ParticipantConnected, phone);
    const other = participant('sip_2');
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': 'active' }, other);
    expect(await reached(leg)).toEqual(['joined']);
    for (const status of ['ringing', 'active']) {
      room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': status }, phone);
    }
    expect(await reached(leg)).toEqual(['joined', 'ringing', 'answered']);
    leave(phone, DisconnectReason.CLIENT_INITIATED);
    expect(await leg.gone).toBe(DisconnectReason.CLIENT_INITIATED);
    leg.close();
  });

  it('takes a call as answered while livekit-sip may not have said so, and not much longer', () => {
    const leg = open();
    room.emit(RoomEvent.ParticipantConnected, participant('sip_1'));
    expect(leg.answeredUnsaid).toBe(false);
    room.emit(RoomEvent.LocalTrackPublished);
    vi.advanceTimersByTime(1000);
    expect(leg.answeredUnsaid).toBe(true);
    vi.advanceTimersByTime(4500);
    expect(leg.answeredUnsaid).toBe(false);
    leg.close();
  });

  it('knows that the far end hung up although its leaving never came', async () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, phone);
    room.emit(RoomEvent.LocalTrackPublished);
    await vi.advanceTimersByTimeAsync(4500);
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': 'hangup' }, phone);
    expect(await reached(leg)).toEqual(['joined']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await leg.gone).toBe(DisconnectReason.CLIENT_INITIATED);
    // The answer is judged by when it was hung up, not by when that was believed.
    expect(leg.answeredUnsaid).toBe(true);
    leg.close();
  });

  it('believes the reason with which a phone leaves, whether or not it said that it was hung up', async () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, phone);
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': 'hangup' }, phone);
    leave(phone, DisconnectReason.USER_REJECTED);
    expect(await leg.gone).toBe(DisconnectReason.USER_REJECTED);
    leg.close();
  });

  it('does not wait for a phone that was hung up to come back', async () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, phone);
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': 'hangup' }, phone);
    leave(phone, DisconnectReason.SIGNAL_CLOSE);
    expect(await reached(leg)).toEqual(['joined', 'gone']);
    expect(await leg.gone).toBe(DisconnectReason.CLIENT_INITIATED);
    leg.close();
  });

  it('finds a phone that was hung up before the agent came', async () => {
    const phone = Object.assign(participant('phone'), {
      attributes: { 'sip.callStatus': 'hangup' },
    });
    room.remoteParticipants.set('phone', phone);
    const leg = open('phone');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await reached(leg)).toEqual(['joined', 'gone']);
    leg.close();
  });

  it('names the call as the far end does, and as livekit-sip does where that is all there is', () => {
    const leg = open();
    expect(leg.sipCallId).toBeUndefined();
    const phone = participant('sip_1');
    phone.attributes['sip.callID'] = 'SCL_1';
    room.emit(RoomEvent.ParticipantConnected, phone);
    expect(leg.sipCallId).toBe('SCL_1');
    phone.attributes['sip.callIDFull'] = 'a@b';
    expect(leg.sipCallId).toBe('a@b');
    leg.close();
  });

  it('sees who is in the room already', async () => {
    const phone = Object.assign(participant('phone'), {
      attributes: { 'sip.callStatus': 'active' },
    });
    room.remoteParticipants.set('phone', phone);
    expect(await reached(open('phone'))).toEqual(['joined', 'answered']);
  });

  it('waits for a phone whose connection was lost to come back', async () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, phone);
    leave(phone, DisconnectReason.UNKNOWN_REASON);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await reached(leg)).toEqual(['joined']);
    room.emit(RoomEvent.ParticipantConnected, phone);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reached(leg)).toEqual(['joined']);
    leave(phone, DisconnectReason.CONNECTION_TIMEOUT);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await leg.gone).toBe(DisconnectReason.CONNECTION_TIMEOUT);
  });

  it('tells a deleted room from an agent that lost its connection', async () => {
    const deleted = open();
    room.emit(RoomEvent.Disconnected, DisconnectReason.ROOM_DELETED);
    expect(await deleted.gone).toBe(DisconnectReason.ROOM_DELETED);
    const lost = open();
    room.emit(RoomEvent.Disconnected, DisconnectReason.CLIENT_INITIATED);
    expect(await lost.gone).toBe(DisconnectReason.AGENT_ERROR);
  });

  it('leaves no listener and no timer behind', () => {
    const leg = open();
    const phone = participant('sip_1');
    room.emit(RoomEvent.ParticipantConnected, phone);
    leave(phone, DisconnectReason.UNKNOWN_REASON);
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'sip.callStatus': 'hangup' }, phone);
    leg.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(room.eventNames()).toEqual([]);
  });
});
