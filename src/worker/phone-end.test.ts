import { DisconnectReason } from '@livekit/rtc-node';
import { describe, expect, it } from 'vitest';
import { endOfAnsweredCall, endOfUnansweredCall, isFinal } from './phone-end.ts';

describe('endOfAnsweredCall', () => {
  it('says that the far end hung up, whoever that is', () => {
    const { CLIENT_INITIATED } = DisconnectReason;
    expect(endOfAnsweredCall(CLIENT_INITIATED, 'inbound')).toMatchObject({
      outcome: 'completed',
      hungUpBy: 'caller',
    });
    expect(endOfAnsweredCall(CLIENT_INITIATED, 'outbound')).toMatchObject({
      outcome: 'completed',
      hungUpBy: 'callee',
    });
  });

  it('says that an operator ended the call whose room is deleted or whose phone is removed', () => {
    for (const reason of [DisconnectReason.ROOM_DELETED, DisconnectReason.PARTICIPANT_REMOVED]) {
      expect(endOfAnsweredCall(reason, 'inbound').hungUpBy).toBe('operator');
    }
  });

  it('calls a lost SIP service, server or agent a failure of ours, each with its own words', () => {
    const reasons = [
      DisconnectReason.CONNECTION_TIMEOUT,
      DisconnectReason.SERVER_SHUTDOWN,
      DisconnectReason.AGENT_ERROR,
      DisconnectReason.SIP_TRUNK_FAILURE,
      DisconnectReason.MEDIA_FAILURE,
      DisconnectReason.UNKNOWN_REASON,
    ];
    const ends = reasons.map((reason) => endOfAnsweredCall(reason, 'inbound'));
    expect(
      ends.every(({ outcome, hungUpBy }) => outcome === 'failed' && hungUpBy === 'system'),
    ).toBe(true);
    expect(new Set(ends.map(({ reason }) => reason)).size).toBe(reasons.length);
  });
});

describe('endOfUnansweredCall', () => {
  it('tells a caller who gave up from a call that was lost', () => {
    expect(endOfUnansweredCall(DisconnectReason.CLIENT_INITIATED).outcome).toBe('canceled');
    expect(endOfUnansweredCall(DisconnectReason.CONNECTION_TIMEOUT).outcome).toBe('failed');
  });
});

describe('isFinal', () => {
  it('lets a phone come back whose connection was lost, and no other', () => {
    expect(isFinal(DisconnectReason.CONNECTION_TIMEOUT)).toBe(false);
    expect(isFinal(DisconnectReason.UNKNOWN_REASON)).toBe(false);
    expect(isFinal(DisconnectReason.CLIENT_INITIATED)).toBe(true);
    expect(isFinal(DisconnectReason.ROOM_DELETED)).toBe(true);
  });
});
