import { isIP } from 'node:net';

export const trunkProviders = ['twilio', 'telnyx', 'generic', 'loopback', 'simulator'] as const;

/** `loopback` is livekit-sip calling itself, `simulator` the SIP phone of the simulator. */
export type TrunkProvider = (typeof trunkProviders)[number];

export const trunkTransports = ['udp', 'tcp', 'tls'] as const;
export type TrunkTransport = (typeof trunkTransports)[number];

export const mediaEncryptions = ['disable', 'allow', 'require'] as const;

/** Whether sound is encrypted (SRTP, RFC 4568). */
export type MediaEncryption = (typeof mediaEncryptions)[number];

/** A user name and password of SIP's digest authentication (RFC 3261, section 22). */
export type SipCredentials = { readonly username: string; readonly password: string };

/** A way to the telephone network: what trunks.yaml says of it, with its defaults and credentials filled in. */
export type Trunk = {
  readonly name: string;
  readonly provider: TrunkProvider;
  /** Where outbound calls go: host or host:port, no URI. */
  readonly address: string;
  readonly transport: TrunkTransport;
  readonly mediaEncryption: MediaEncryption;
  /** With which we prove ourselves to the carrier. */
  readonly credentials?: SipCredentials | undefined;
  /** With which the carrier must prove itself to us. */
  readonly inboundCredentials?: SipCredentials | undefined;
  /** Our numbers on this trunk, E.164, and who answers each. The first is the default caller id. */
  readonly numbers: readonly TrunkNumber[];
  /** Calls that may start in a second; below 1 for a slower pace. */
  readonly callsPerSecond: number;
  readonly concurrentCalls: number;
  /** Where outbound calls may go; see `destination.ts`. */
  readonly allowedPrefixes: readonly string[];
  /** IP addresses and CIDR blocks that inbound calls may come from; empty: those of `address`. */
  readonly allowedAddresses: readonly string[];
  /** Hosts at which sip: URIs may be the target of a transfer; absent: none, numbers only. */
  readonly transferHosts?: readonly string[] | undefined;
  readonly twilio?: TwilioAccount | undefined;
};

type TrunkNumber = { readonly number: string; readonly personality: string };

/** The account in which `ensure` makes a Twilio trunk. */
export type TwilioAccount = {
  readonly accountSid: string;
  readonly authToken: string;
  /** Sid of an Elastic SIP trunk that the operator made and lets us use. */
  readonly adopt?: string | undefined;
};

/** Whether calls over this trunk stay on our own machines. */
export function isLocal(trunk: Pick<Trunk, 'provider'>): boolean {
  return trunk.provider === 'loopback' || trunk.provider === 'simulator';
}

/** Host and port of an address; 5060 where it has none, 5061 for TLS (RFC 3261, section 19.1.2). */
export function splitAddress(
  address: string,
  transport: TrunkTransport,
): { host: string; port: number } {
  const fallback = transport === 'tls' ? 5061 : 5060;
  if (isIP(address) === 6) return { host: address, port: fallback };
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(address);
  return {
    host: match?.[1] ?? address,
    port: match?.[2] === undefined ? fallback : Number(match[2]),
  };
}
