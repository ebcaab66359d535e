import ipaddr from 'ipaddr.js';

/** Networks that people know by name, so that they are told of these and not of single addresses. */
const KNOWN_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].map((text) => ({ text, network: ipaddr.parseCIDR(text) }));

/** All that is routed in IPv6 (https://www.iana.org/assignments/ipv6-address-space). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Azure's platform answers its machines here, though the address looks like anybody's. */
const METADATA = new Set(['168.63.129.16']);

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address that must not be connected to. */
export class AddressRefused extends Error {
  readonly address: string;
  /** What would permit it, in CIDR notation. */
  readonly network: string;

  constructor(address: string, network: string) {
    super(`${address} is not a public address, and its network (${network}) is not permitted`);
    this.name = 'AddressRefused';
    this.address = address;
    this.network = network;
  }
}

/**
 * Tells to which addresses others may have us connect: public ones, and networks that the operator permits. What
 * is loopback, private, link-local, shared, multicast, reserved or otherwise special (RFC 6890) is not public.
 */
export class AddressPolicy {
  readonly #permitted: readonly [Address, number][];

  /** @param permitted addresses and networks, in CIDR notation */
  constructor(permitted: readonly string[]) {
    this.#permitted = permitted.map((text) =>
      text.includes('/') ? ipaddr.parseCIDR(text) : wholeOf(ipaddr.parse(text)),
    );
  }

  /** Why an IP address must not be connected to; undefined: it may. */
  refusalOf(address: string): AddressRefused | undefined {
    const [bare = address] = address.split('%');
    const meant = meantBy(ipaddr.process(bare));
    const permitted = this.#permitted.some(([network, bits]) => contains(network, bits, meant));
    if (permitted || isPublic(meant)) return undefined;
    return new AddressRefused(meant.toString(), networkOf(meant));
  }
}

/** The IPv4 address that a NAT64 would take out of an IPv6 one (RFC 6052), or the address itself. */
function meantBy(address: Address): Address {
  if (address.kind() !== 'ipv6' || address.range() !== 'rfc6052') return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast' || METADATA.has(address.toString())) return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6);
}

function networkOf(address: Address): string {
  const known = KNOWN_NETWORKS.find(({ network: [base, bits] }) => contains(base, bits, address));
  return known?.text ?? `${address.toString()}/${wholeOf(address)[1]}`;
}

function contains(network: Address, bits: number, address: Address): boolean {
  return network.kind() === address.kind() && address.match([network, bits]);
}

function wholeOf(address: Address): [Address, number] {
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
