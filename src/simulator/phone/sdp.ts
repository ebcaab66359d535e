import { PCMA, PCMU, type G711, type G711Name } from '../../platform/g711.ts';
import type { Peer } from './sip-address.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What a session description says of the telephone's one audio stream (RFC 8866, RFC 3264). */
export type MediaDescription = {
  /** Where its author wants to receive RTP. */
  peer: Peer;
  /** The codecs that both know, in the author's order. */
  codecs: G711[];
  /** Payload type of telephone events (RFC 4733), where the author takes them. */
  eventType: number | undefined;
  direction: Direction;
};

const G711_CODECS: readonly G711[] = [PCMU, PCMA];
const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** Payload type under which this phone offers telephone events. */
export const EVENT_TYPE = 101;

/** Reads a session description; undefined where it has no RTP audio that G.711 could serve. */
export function parseSdp(text: string): MediaDescription | undefined {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('m=audio '));
  const media = /^m=audio (\d+)(?:\/\d+)? RTP\/AVP ([\d ]+)$/.exec(lines[start]?.trimEnd() ?? '');
  if (!media) return undefined;
  const nextMedia = lines.findIndex((line, index) => index > start && line.startsWith('m='));
  const session = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('m=')),
  );
  const section = lines.slice(start, nextMedia === -1 ? undefined : nextMedia);
  const host = addressIn(section) ?? addressIn(session);
  const port = Number(media[1]);
  if (host === undefined || port > 65_535) return undefined;

  const names = payloadNames(section);
  const types = (media[2] ?? '').trim().split(/\s+/).map(Number);
  const codecs = types.flatMap((type) => {
    const name = names.get(type);
    const known = G711_CODECS.find((codec) =>
      name === undefined ? codec.payloadType === type : name === `${codec.name}/8000`,
    );
    return known ? [known] : [];
  });
  if (codecs.length === 0) return undefined;
  return {
    peer: { host, port },
    codecs,
    eventType: types.find((type) => names.get(type) === 'TELEPHONE-EVENT/8000'),
    direction: directionIn(section) ?? directionIn(session) ?? 'sendrecv',
  };
}

/** Writes a session description: an offer with several codecs, or an answer with the one chosen. */
export function writeSdp(options: {
  host: string;
  port: number;
  codecs: readonly G711[];
  eventType: number | undefined;
  direction: Direction;
  /** Grows with every new description of one session (RFC 3264, section 8). */
  version: number;
}): string {
  const { host, port, codecs, eventType, direction, version } = options;
  const types = [...codecs.map((codec) => codec.payloadType), ...(eventType ? [eventType] : [])];
  const lines = [
    'v=0',
    `o=- ${port} ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${types.join(' ')}`,
    ...codecs.map((codec) => `a=rtpmap:${codec.payloadType} ${codec.name}/8000`),
    ...(eventType
      ? [`a=rtpmap:${eventType} telephone-event/8000`, `a=fmtp:${eventType} 0-15`]
      : []),
    'a=ptime:20',
    `a=${direction}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** The codec to use: the first of ours that the other side knows. */
export function chooseCodec(
  preferred: readonly G711Name[],
  media: MediaDescription,
): G711 | undefined {
  for (const name of preferred) {
    const codec = media.codecs.find((candidate) => candidate.name === name);
    if (codec) return codec;
  }
  return undefined;
}

/** The codecs of these names. */
export function codecsOf(names: readonly G711Name[]): G711[] {
  return names.map((name) => (name === 'PCMU' ? PCMU : PCMA));
}

/** What to answer to an offered direction, where this side would send and receive (RFC 3264, section 6.1). */
export function answeredDirection(offered: Direction): Direction {
  switch (offered) {
    case 'sendonly':
      return 'recvonly';
    case 'recvonly':
      return 'sendonly';
    case 'sendrecv':
    case 'inactive':
      return offered;
  }
}

function payloadNames(section: readonly string[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of section) {
    const match = /^a=rtpmap:(\d+) ([\w-]+\/\d+)/.exec(line);
    if (match?.[2]) names.set(Number(match[1]), match[2].toUpperCase());
  }
  return names;
}

function addressIn(lines: readonly string[]): string | undefined {
  const line = lines.find((candidate) => candidate.startsWith('c=IN IP4 '));
  return line?.slice('c=IN IP4 '.length).split('/')[0]?.trim();
}

function directionIn(lines: readonly string[]): Direction | undefined {
  return DIRECTIONS.find((direction) => lines.some((line) => line.trimEnd() === `a=${direction}`));
}
