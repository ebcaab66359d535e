import { SipCallError } from 'livekit-server-sdk';
import { expect, it } from 'vitest';
import { endOfRefusal } from './loopback-refusal.ts';

it('tells why livekit-sip refused, with the status where it has one', () => {
  const busy = new SipCallError('TwirpError', 'busy', 503, 'unavailable', {
    sip_status_code: '486',
    sip_status: 'Busy Here',
  });
  expect(endOfRefusal(busy)).toEqual({
    by: 'remote',
    status: 486,
    reason: 'SIP call failed: 486 Busy Here (unavailable)',
  });
  expect(endOfRefusal(new Error('cpu exhausted'))).toEqual({
    by: 'remote',
    status: undefined,
    reason: 'cpu exhausted',
  });
});

it('does not repeat the number that was dialled', () => {
  const { reason } = endOfRefusal(new Error('no trunk for sip:+12025550123@127.0.0.1'));
  expect(reason).toBe('no trunk for sip:+12*******23@127.0.0.1');
});
