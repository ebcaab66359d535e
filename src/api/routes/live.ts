import websocket from '@fastify/websocket';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TicketHolder } from '../live/tickets.ts';
import { isCallId } from '../../call/call-id.ts';
import { liveTypes } from '../../call/live/live-event.ts';
import { isLivePlace } from '../../call/live/live-stream.ts';
import { isAway } from '../../platform/database-failure.ts';
import { holderOf } from '../authenticate.ts';
import { liveMessageSchema, type LiveFilter } from '../live/live-message.ts';
import { EventStreamSink, WebSocketSink } from '../live/live-sink.ts';
import { TICKET_MS } from '../live/tickets.ts';
import type { Live } from '../live/open-live.ts';
import { ApiProblem, problemResponses } from '../problem.ts';

type Authenticate = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export type LiveRouteDeps = { live: Live; authenticate: Authenticate };

const RETRY_S = 2;
/** Nothing is expected of a client. */
const MOST_SENT_BYTES = 4096;

const knownTypes: ReadonlySet<string> = new Set(liveTypes);
const listed = (text: string): string[] => text.split(',').map((part) => part.trim());

const place = z
  .string()
  .refine(isLivePlace, 'must be the id of a message that you were sent')
  .optional();

const query = z.strictObject({
  types: z
    .string()
    .refine(
      (text) => listed(text).every((type) => knownTypes.has(type)),
      `must be one or more of ${liveTypes.join(', ')}, with commas`,
    )
    .optional()
    .describe(`only these, with commas: ${liveTypes.join(', ')}; absent: all`),
  call: z
    .string()
    .refine((text) => listed(text).every(isCallId), 'must be opaque ids of calls, with commas')
    .optional()
    .describe('only these calls, by their opaque ids, with commas; absent: all'),
  last_event_id: place.describe(
    'go on after this message; the header `Last-Event-ID` says the same',
  ),
  ticket: z
    .string()
    .max(100)
    .optional()
    .describe('from `POST /api/live/ticket`, instead of the header `X-API-Key`'),
});

const headers = z.object({ 'last-event-id': z.union([z.literal(''), place]) });

const stream = {
  description: 'Messages without end, as server-sent events: the data of each is one message',
  content: { 'text/event-stream': { schema: liveMessageSchema } },
};

const description =
  'A message is JSON, the same over both transports; its `type` is the name of the server-sent event. ' +
  'The first is `hello`, with how everything is, or what followed `last_event_id`. See docs/live.md.';

/** `GET /live`, `GET /live/events` and `POST /live/ticket`. */
export const liveRoutes: FastifyPluginAsyncZod<LiveRouteDeps> = async (app, deps) => {
  const { hub, tickets, isReady } = deps.live;
  await app.register(websocket, {
    options: { maxPayload: MOST_SENT_BYTES, perMessageDeflate: false },
    errorHandler: (_error, socket) => socket.terminate(),
    // Ours, since it tells the clients why, and waits for them.
    preClose: (done) => done(),
  });
  app.addHook('preClose', async () => {
    await hub.close();
    app.websocketServer.close();
  });

  app.post(
    '/live/ticket',
    {
      config: { scope: 'read' },
      onRequest: deps.authenticate,
      schema: {
        tags: ['live'],
        summary: 'A ticket with which a browser may watch, once',
        description:
          'Browsers cannot send headers with a WebSocket or an EventSource. The ticket is good once, for 30 s.',
        security: [{ apiKey: [] }],
        response: {
          201: z.object({
            ticket: z.string().describe('for `?ticket=`'),
            expires_at: z.iso.datetime(),
            expires_in: z.number().int().describe('seconds'),
          }),
          ...problemResponses(401, 403, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { ticket, expiresAt } = await orUnavailable(tickets.issue(holderOf(request)));
      reply.header('cache-control', 'no-store');
      return reply.code(201).send({
        ticket,
        expires_at: expiresAt.toISOString(),
        expires_in: TICKET_MS / 1000,
      });
    },
  );

  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const ticket = z.looseObject({ ticket: z.string().optional() }).safeParse(request.query);
    const { authorization, 'x-api-key': key } = request.headers;
    if ((key ?? authorization) !== undefined || ticket.data?.ticket === undefined) {
      await deps.authenticate(request, reply);
      return;
    }
    const holder = await orUnavailable(redeem(deps.live, ticket.data.ticket));
    request.holder = { ...holder, scopes: ['read'], rateLimit: null };
  };
  const reserve = async (request: FastifyRequest): Promise<void> => {
    if (!isReady()) throw away('The live events of Redis are not read yet.');
    switch (hub.refusal(holderOf(request))) {
      case 'closed':
        throw away('The api ends.');
      case 'full':
        throw away('Too many watch already.');
      case 'key':
        throw new ApiProblem('too-many-requests', 'Too many watch with this key already.', {
          retryAfterS: RETRY_S,
        });
      case undefined:
    }
  };

  for (const url of ['/live', '/live/events']) {
    const upgrades = url === '/live';
    app.route({
      method: 'GET',
      url,
      exposeHeadRoute: false,
      config: { scope: 'read', isEndless: true },
      onRequest: admit,
      preHandler: reserve,
      schema: {
        tags: ['live'],
        summary: upgrades
          ? 'What goes on now, as a WebSocket or as server-sent events'
          : 'What goes on now, as server-sent events',
        description,
        security: [{ apiKey: [] }],
        querystring: query,
        headers,
        response: {
          ...(upgrades && { 101: z.null().describe('with `Upgrade: websocket`: a WebSocket') }),
          200: stream,
          ...problemResponses(400, 401, 403, 429, 500, 503),
        },
      },
      handler: (request, reply) => {
        const kept = keptHeaders(reply);
        reply.hijack();
        void hub.serve(new EventStreamSink(reply.raw, kept), wishOf(request));
      },
      ...(upgrades && {
        wsHandler: (socket, request) => {
          void hub.serve(new WebSocketSink(socket), wishOf(request));
        },
      }),
    });
  }
};

function wishOf(request: FastifyRequest) {
  const { types, call, last_event_id: resume } = request.query as z.output<typeof query>;
  const header = (request.headers as z.output<typeof headers>)['last-event-id'];
  const filter: LiveFilter = {
    types: types === undefined ? undefined : new Set(listed(types)),
    calls: call === undefined ? undefined : new Set(listed(call)),
  };
  // A browser that connects again sends the header, and the address as it was at first.
  const after = header === undefined || header === '' ? resume : header;
  return { holder: holderOf(request), filter, after };
}

async function redeem({ tickets, keys }: Live, ticket: string): Promise<TicketHolder> {
  const holder = await tickets.redeem(ticket);
  if (!holder || !(await keys.stillHolds(holder.id))) {
    throw new ApiProblem('unauthorized', 'The ticket was used, has expired, or is none.');
  }
  return holder;
}

async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (thrown instanceof ApiProblem || isAway(thrown)) throw thrown;
    throw away('Redis is away; send it again.');
  }
}

function away(detail: string): ApiProblem {
  return new ApiProblem('unavailable', detail, { retryAfterS: RETRY_S });
}

/** What hooks have said already, as how many requests the key has left. */
function keptHeaders(reply: FastifyReply): Record<string, string | string[]> {
  const kept = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)] as const],
  );
  return Object.fromEntries(kept);
}
