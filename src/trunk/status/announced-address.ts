import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { SIPOutboundTrunkInfo } from 'livekit-server-sdk';
import { asError } from '../../platform/errors.ts';
import type { LiveKit } from '../../platform/livekit.ts';
import { markerOf } from '../managed.ts';

/** Addresses that livekit-sip tells the far end: for signalling (Contact) and for sound (SDP, `c=`). */
export type Announced =
  | { ok: true; signalling: string; media: string }
  | { ok: false; reason: string };

/** Of a trunk that lives as long as the question; `ensure` removes one that was left. */
const PROBE = 'trunkline-probe';
const TIMEOUT_MS = 8000;

/**
 * What livekit-sip really announces: it is made to call a socket of our own, which reads its INVITE and
 * refuses it. No carrier is involved, and nothing rings. Never rejects.
 *
 * @param sipHost where livekit-sip is, to choose the address of ours that it reaches
 */
export async function askAnnouncedAddress(liveKit: LiveKit, sipHost: string): Promise<Announced> {
  const socket = createSocket('udp4');
  const room = `${PROBE}-${randomUUID()}`;
  let trunkId: string | undefined;
  try {
    const host = ownAddress(sipHost);
    socket.bind(0, host);
    await once(socket, 'listening');
    const trunk = await liveKit.sip.createSipOutboundTrunk(
      PROBE,
      `${host}:${socket.address().port}`,
      ['+10000000000'],
      { metadata: markerOf(PROBE), transport: udp() },
    );
    trunkId = trunk.sipTrunkId;
    const invite = nextInvite(socket);
    await liveKit.sip.createSipParticipant(trunkId, '+10000000000', room, {
      participantIdentity: 'probe',
      ringingTimeout: 5,
      timeout: TIMEOUT_MS / 1000,
    });
    return announcedIn(await invite);
  } catch (thrown) {
    return { ok: false, reason: `livekit-sip could not be asked: ${asError(thrown).message}` };
  } finally {
    socket.close();
    // What cannot be removed now expires (the room) or is removed by ensure (the trunk).
    if (trunkId !== undefined) await liveKit.sip.deleteSipTrunk(trunkId).catch(() => {});
    await liveKit.rooms.deleteRoom(room).catch(() => {});
  }
}

/** The addresses in an INVITE (RFC 3261, section 8.1.1.8; RFC 8866, section 5.7). */
export function announcedIn(invite: string): Announced {
  const signalling =
    /^Contact:.*?sips?:(?:[^@>\s]*@)?\[?([0-9A-Za-z.:-]+?)\]?(?::\d+)?[>;\s]/im.exec(invite)?.[1];
  const media = /^c=IN IP[46] (\S+)/m.exec(invite)?.[1];
  if (signalling === undefined || media === undefined) {
    return { ok: false, reason: 'the INVITE of livekit-sip names no address' };
  }
  return { ok: true, signalling, media };
}

function nextInvite(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('its INVITE did not arrive')), TIMEOUT_MS);
    timer.unref();
    socket.on('message', (message, from) => {
      const text = message.toString('latin1');
      if (!text.startsWith('INVITE ')) return;
      clearTimeout(timer);
      socket.send(refusalOf(text), from.port, from.address);
      resolve(text);
    });
  });
}

/** 603 Decline, with the headers that a response must repeat (RFC 3261, section 8.2.6.2). */
function refusalOf(invite: string): string {
  const lines = invite.split('\r\n');
  const header = (name: string) =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return [
    'SIP/2.0 603 Decline',
    ...header('Via'),
    ...header('From'),
    ...header('To').map((line) => `${line};tag=probe`),
    ...header('Call-ID'),
    ...header('CSeq'),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** An address of this machine that livekit-sip reaches. */
function ownAddress(sipHost: string): string {
  if (/^(127\.|localhost$)/.test(sipHost)) return '127.0.0.1';
  const external = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return external?.address ?? '127.0.0.1';
}

/** SIPTransport's UDP; the SDK exports the enum only through its messages. */
function udp() {
  return SIPOutboundTrunkInfo.fromJson({ transport: 'SIP_TRANSPORT_UDP' }).transport;
}
