/** The parts of a SIP URI that a phone needs (RFC 3261, section 19.1). */
export type SipUri = { user: string; host: string; port: number | undefined };

/** Host and UDP port of a peer. */
export type Peer = { host: string; port: number };

const URI = /^sips?:(?:([^@;?]*)@)?(\[[^\]]+\]|[^:;?>]+)(?::(\d{1,5}))?(?:[;?].*)?$/i;

/** Parses a SIP URI; undefined where it is none (a tel: URI, for one). */
export function parseUri(text: string): SipUri | undefined {
  const match = URI.exec(text.trim());
  if (!match) return undefined;
  const [, userInfo = '', host = '', port] = match;
  const [user = ''] = userInfo.split(':');
  return { user: decoded(user), host, port: port === undefined ? undefined : Number(port) };
}

/** The URI in a header such as From or Contact, with or without angle brackets and display name. */
export function uriOf(header: string): string {
  const bracketed = /<([^>]*)>/.exec(withoutQuoted(header));
  return (bracketed?.[1] ?? header.split(';')[0] ?? '').trim();
}

/** A parameter of a header (not of the URI inside it), for example the tag of From. */
export function parameterOf(header: string, name: string): string | undefined {
  const tail = header.includes('<') ? header.slice(header.lastIndexOf('>') + 1) : header;
  for (const part of tail.split(';').slice(1)) {
    const [key = '', value = ''] = part.split('=');
    if (key.trim().toLowerCase() === name) return value.trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}

/** Splits a header that holds a list at its commas, leaving alone those in quotes and angle brackets. */
export function splitList(value: string): string[] {
  const parts = value.match(/(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<]|["<])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** The peer that a URI names; 5060 where it names no port. */
export function peerOf(uri: string): Peer | undefined {
  const parsed = parseUri(uri);
  return parsed && { host: parsed.host, port: parsed.port ?? 5060 };
}

/** Reads `host:port`. @throws Error where it is not of that form. */
export function parsePeer(address: string): Peer {
  const match = /^(.+):(\d{1,5})$/.exec(address);
  if (!match?.[1] || !match[2]) throw new Error(`not host:port: ${address}`);
  return { host: match[1], port: Number(match[2]) };
}

function withoutQuoted(header: string): string {
  return header.replace(/"(?:\\.|[^"\\])*"/g, '');
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
