import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import { asError } from '../platform/errors.ts';
import { alternativeOf } from './deepgram-messages.ts';
import { readDeepgramOptions } from './deepgram-options.ts';
import { DeepgramStream } from './deepgram-stream.ts';
import { passFault } from './faulty-answer.ts';
import { SAMPLE_RATE } from './leg.ts';
import { resample } from './resample.ts';
import { transcribe, wordsHeard } from './transcription.ts';
import type { VendorDeps } from './vendor-deps.ts';
import { WAV_LIMIT } from './vendor-request.ts';
import { readWav } from './wav.ts';

/** The framework's plugin appends `/v1/listen` to a base URL that users give with it. */
const PATHS = ['/v1/listen', '/v1/listen/v1/listen'];

type DeepgramError = { err_code: string; err_msg: string; request_id: string };

/**
 * Deepgram's stand-in: live transcription over a WebSocket, and recorded WAV files by POST. Any key will do,
 * but there must be one.
 * @see https://developers.deepgram.com/reference/speech-to-text/listen-streaming
 */
export async function mountDeepgram(app: FastifyInstance, deps: VendorDeps): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true });
  const waiting = new Set<Duplex>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? '/', 'ws://simulator');
    if (!PATHS.includes(url.pathname)) return;
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
    socket.on('error', () => socket.destroy());
    upgrade(sockets, deps, { request, socket, head, query: url.searchParams }).catch(() =>
      socket.destroy(),
    );
  });
  app.addHook('preClose', (done) => {
    for (const client of sockets.clients) client.terminate();
    // Those that a fault keeps waiting for their upgrade are no clients yet.
    for (const socket of waiting) socket.destroy();
    sockets.close(() => done());
  });
  await app.register((scope, _options, done) => {
    mountRecorded(scope, deps);
    done();
  });
}

type Upgrade = { request: IncomingMessage; socket: Duplex; head: Buffer; query: URLSearchParams };

async function upgrade(sockets: WebSocketServer, deps: VendorDeps, asked: Upgrade): Promise<void> {
  const { request, socket, head, query } = asked;
  if (!isAuthorized(request)) {
    refuse(socket, 401);
    return;
  }
  const fault = deps.faults.take('stt');
  if (fault.hang) return;
  if (fault.delayMs !== undefined) await wait(fault.delayMs);
  if (fault.status !== undefined) {
    refuse(socket, fault.status);
    return;
  }
  const options = readDeepgramOptions(query);
  if ('problem' in options) {
    refuse(socket, 400, options.problem);
    return;
  }
  if (socket.destroyed) return;
  sockets.handleUpgrade(request, socket, head, (client) => {
    // The stream lives as long as its socket, whose listeners hold it.
    void new DeepgramStream(client, options, deps);
  });
}

function mountRecorded(app: FastifyInstance, deps: VendorDeps): void {
  app.addContentTypeParser(/^audio\//, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  for (const path of PATHS) {
    app.post(path, { bodyLimit: WAV_LIMIT }, async (request, reply) => {
      const fail = (status: number, message?: string) =>
        reply.code(status).send(errorOf(status, message));
      if (!isAuthorized(request.raw)) return fail(401);
      const fault = deps.faults.take('stt');
      if (!(await passFault(fault, reply, fail))) return reply;
      if (!Buffer.isBuffer(request.body))
        return fail(400, 'send sound with Content-Type: audio/wav');
      let sound: Int16Array;
      try {
        const { samples, sampleRate } = readWav(request.body);
        sound = resample(samples, sampleRate, SAMPLE_RATE);
        deps.served.heard((sound.length / SAMPLE_RATE) * 1000);
      } catch (thrown) {
        return fail(400, `the simulator hears WAV files only: ${asError(thrown).message}`);
      }
      const { heard } = transcribe(deps.callerLines, fault.silent ? new Int16Array(0) : sound);
      const confidence = heard.reduce((least, one) => Math.min(least, one.confidence), 1);
      return reply.send({
        metadata: {
          request_id: randomUUID(),
          created: new Date().toISOString(),
          duration: sound.length / SAMPLE_RATE,
          channels: 1,
        },
        results: {
          channels: [
            { alternatives: [alternativeOf(heard.flatMap(wordsHeard), confidence, true)] },
          ],
        },
      });
    });
  }
}

function isAuthorized(request: IncomingMessage): boolean {
  return /^(?:Token|Bearer) \S+/i.test(request.headers.authorization ?? '');
}

function refuse(socket: Duplex, status: number, message?: string): void {
  const body = JSON.stringify(errorOf(status, message));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n` +
      'Content-Type: application/json\r\nConnection: close\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** @see https://developers.deepgram.com/docs/errors */
function errorOf(status: number, message?: string): DeepgramError {
  const request_id = randomUUID();
  switch (status) {
    case 401:
      return { err_code: 'INVALID_AUTH', err_msg: message ?? 'Invalid credentials.', request_id };
    case 429:
      return {
        err_code: 'TOO_MANY_REQUESTS',
        err_msg: message ?? 'Too many requests. Please try again later.',
        request_id,
      };
    default:
      return status < 500
        ? { err_code: 'Bad Request', err_msg: message ?? 'The request is not valid.', request_id }
        : {
            err_code: 'INTERNAL_SERVER_ERROR',
            err_msg: message ?? 'Internal server error.',
            request_id,
          };
  }
}
