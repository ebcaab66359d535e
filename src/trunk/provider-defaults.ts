import type { TrunkProvider, TrunkTransport } from './trunk.ts';

/** What is true of a provider where trunks.yaml says nothing else. */
export type ProviderDefaults = {
  address?: string;
  transport: TrunkTransport;
  callsPerSecond: number;
  concurrentCalls: number;
  /** Where its inbound calls come from. */
  allowedAddresses: readonly string[];
};

/**
 * Twilio's signalling addresses, https://www.twilio.com/docs/sip-trunking/ip-addresses : Virginia, Oregon,
 * Ireland, Frankfurt, Tokyo, Singapore, Sydney, São Paulo.
 */
const TWILIO_ADDRESSES = [
  '54.172.60.0/30',
  '54.244.51.0/30',
  '54.171.127.192/30',
  '35.156.191.128/30',
  '54.65.63.192/30',
  '54.169.127.128/30',
  '54.252.254.64/30',
  '177.71.206.192/30',
];

/**
 * Telnyx's signalling addresses, https://developers.telnyx.com/docs/voice/sip-trunking/routing/failover-and-retries :
 * United States, Europe, Canada, Australia.
 */
const TELNYX_ADDRESSES = [
  '192.76.120.10',
  '64.16.250.10',
  '5.172.39.10',
  '5.172.39.25',
  '193.108.220.10',
  '193.108.220.25',
  '103.135.104.10',
  '103.135.104.25',
];

/**
 * Carriers get TCP: an INVITE with SDP and a carrier's own headers outgrows a UDP packet, and a lost fragment
 * is a lost call. Twilio starts one call a second on a trunk by default.
 */
export const providerDefaults: Readonly<Record<TrunkProvider, ProviderDefaults>> = {
  twilio: {
    transport: 'tcp',
    callsPerSecond: 1,
    concurrentCalls: 20,
    allowedAddresses: TWILIO_ADDRESSES,
  },
  telnyx: {
    address: 'sip.telnyx.com',
    transport: 'tcp',
    callsPerSecond: 1,
    concurrentCalls: 20,
    allowedAddresses: TELNYX_ADDRESSES,
  },
  generic: { transport: 'udp', callsPerSecond: 1, concurrentCalls: 10, allowedAddresses: [] },
  loopback: { transport: 'udp', callsPerSecond: 20, concurrentCalls: 100, allowedAddresses: [] },
  simulator: { transport: 'udp', callsPerSecond: 20, concurrentCalls: 100, allowedAddresses: [] },
};
