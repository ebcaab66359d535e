import { splitList } from './sip-address.ts';

/** What a datagram held that is no SIP message; such datagrams are dropped. */
export class SipSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SipSyntaxError';
  }
}

/** Headers of a SIP message in their order; names are compared without case, compact forms included. */
export class SipHeaders {
  readonly #entries: { name: string; value: string }[] = [];

  constructor(entries: readonly (readonly [string, string])[] = []) {
    for (const [name, value] of entries) this.add(name, value);
  }

  /** The first value, whole. */
  get(name: string): string | undefined {
    const key = fullName(name);
    return this.#entries.find((entry) => entry.name === key)?.value;
  }

  /** All values of a header that may hold a list (Via, Route, Record-Route, Contact). */
  list(name: string): string[] {
    const key = fullName(name);
    return this.#entries
      .filter((entry) => entry.name === key)
      .flatMap((entry) => splitList(entry.value));
  }

  add(name: string, value: string): void {
    this.#entries.push({ name: fullName(name), value });
  }

  set(name: string, value: string): void {
    const key = fullName(name);
    const first = this.#entries.find((entry) => entry.name === key);
    if (first) first.value = value;
    else this.#entries.push({ name: key, value });
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    for (const { name, value } of this.#entries) yield [name, value];
  }
}

export type SipRequest = { method: string; uri: string; headers: SipHeaders; body: string };
export type SipResponse = { status: number; reason: string; headers: SipHeaders; body: string };
export type SipMessage = SipRequest | SipResponse;

/** Compact header names (RFC 3261, section 7.3.3, and the registry that continues it). */
const COMPACT: Readonly<Record<string, string>> = {
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

const REQUIRED = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

export function isRequest(message: SipMessage): message is SipRequest {
  return 'method' in message;
}

/** Number and method of CSeq. A parsed message always has a well-formed one. */
export function cseqOf(message: SipMessage): { number: number; method: string } {
  const [number = '', method = ''] = (message.headers.get('cseq') ?? '').split(/\s+/);
  return { number: Number(number), method };
}

/**
 * Parses one datagram (RFC 3261, section 7), folded lines and compact names included.
 * @throws {SipSyntaxError} where it is not a whole, well-formed message.
 */
export function parseMessage(datagram: Buffer): SipMessage {
  const text = datagram.toString('utf8').replace(/^(?:\r?\n)+/, '');
  const end = /\r?\n\r?\n/.exec(text);
  if (!end) throw new SipSyntaxError('no empty line after the headers');
  const [startLine = '', ...lines] = text
    .slice(0, end.index)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/);
  const headers = new SipHeaders(lines.map(parseHeader));
  for (const name of REQUIRED) {
    if (!headers.get(name)) throw new SipSyntaxError(`no ${name} header`);
  }
  if (!/^\d{1,10}\s+[A-Z]+$/.test(headers.get('cseq') ?? '')) throw new SipSyntaxError('bad CSeq');
  const body = bodyOf(text.slice(end.index + end[0].length), headers);

  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(startLine);
  if (response) return { status: Number(response[1]), reason: response[2] ?? '', headers, body };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(startLine);
  if (!request?.[1] || !request[2]) throw new SipSyntaxError('bad start line');
  const message: SipRequest = { method: request[1], uri: request[2], headers, body };
  if (cseqOf(message).method !== message.method) throw new SipSyntaxError('CSeq of another method');
  return message;
}

/** The message as it goes on the wire, with its Content-Length. */
export function serialise(message: SipMessage): Buffer {
  message.headers.set('content-length', String(Buffer.byteLength(message.body)));
  const startLine = isRequest(message)
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = [...message.headers].map(([name, value]) => `${wireName(name)}: ${value}`);
  return Buffer.from([startLine, ...lines, '', message.body].join('\r\n'));
}

/** The response to a request, with the headers that RFC 3261, section 8.2.6, copies from it. */
export function responseTo(
  request: SipRequest,
  status: number,
  options: {
    tag?: string | undefined;
    headers?: readonly (readonly [string, string])[] | undefined;
    body?: string | undefined;
  } = {},
): SipResponse {
  const headers = new SipHeaders();
  for (const via of request.headers.list('via')) headers.add('via', via);
  for (const route of request.headers.list('record-route')) headers.add('record-route', route);
  const to = request.headers.get('to') ?? '';
  const tagged = options.tag === undefined || /;\s*tag=/i.test(to);
  headers.add('from', request.headers.get('from') ?? '');
  headers.add('to', tagged ? to : `${to};tag=${options.tag}`);
  headers.add('call-id', request.headers.get('call-id') ?? '');
  headers.add('cseq', request.headers.get('cseq') ?? '');
  for (const [name, value] of options.headers ?? []) headers.add(name, value);
  return { status, reason: REASONS[status] ?? 'Unknown', headers, body: options.body ?? '' };
}

export const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  415: 'Unsupported Media Type',
  420: 'Bad Extension',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
};

function parseHeader(line: string): [string, string] {
  const match = /^([\w!%*+.`'~-]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line);
  if (!match?.[1]) throw new SipSyntaxError('bad header line');
  return [match[1], match[2] ?? ''];
}

function bodyOf(rest: string, headers: SipHeaders): string {
  const given = headers.get('content-length');
  if (given === undefined) return rest;
  const bytes = Buffer.from(rest);
  const length = /^\d{1,6}$/.test(given) ? Number(given) : Number.NaN;
  if (!(length <= bytes.length)) throw new SipSyntaxError('Content-Length does not fit');
  return bytes.subarray(0, length).toString('utf8');
}

function fullName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT[lower] ?? lower;
}

/** The customary spelling; peers compare without case, but people read traces. */
function wireName(name: string): string {
  if (name === 'call-id') return 'Call-ID';
  if (name === 'cseq') return 'CSeq';
  if (name === 'www-authenticate') return 'WWW-Authenticate';
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
