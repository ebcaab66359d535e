import { expect, it } from 'vitest';
import { rtpWidth, sipMaxCalls } from './rtp-ports.ts';

const size = { SIP_MAX_CALLS: undefined, NUM_AGENTS: 3, WORKER_MAX_CALLS: 40 };

it('gives livekit-sip ports for all calls of the workers here, or for as many as is said', () => {
  expect(rtpWidth(8)).toBe(500);
  expect(rtpWidth(sipMaxCalls(size))).toBe(1200);
  expect(rtpWidth(sipMaxCalls({ ...size, SIP_MAX_CALLS: 500 }))).toBe(5000);
  // No worker runs here, and calls come all the same.
  expect(sipMaxCalls({ ...size, NUM_AGENTS: 0 })).toBe(40);
});
