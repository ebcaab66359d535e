import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { formatProblem } from '../platform/yaml-file.ts';
import type { ConversationEngine } from './conversation/engine.ts';
import { withPatience } from './conversation/patience.ts';
import { eventLine } from './conversation/report.ts';
import { parseConversation } from './conversation/schema.ts';

const MOST_BYTES = 1024 * 1024;

const query = z.strictObject({
  /** Name of the file, for its problems and the report. */
  file: z.string().min(1).max(1000).default('conversation'),
  record: z.stringbool().default(false),
  /** Every limit of time counts so many times. */
  patience: z.coerce.number().min(1).max(20).default(1),
});

/**
 * `POST /simulator/conversations`: runs the conversation in the body (YAML, or the same as JSON) and answers
 * one event a line (application/x-ndjson), the report last. 400 with every problem where it is malformed.
 * The conversation ends when the client goes away.
 */
export function mountConversations(app: FastifyInstance, engine: ConversationEngine): void {
  const stopping = new AbortController();
  app.addHook('preClose', (done) => {
    stopping.abort(new Error('the simulator is stopping'));
    done();
  });
  for (const type of ['application/yaml', 'text/yaml', 'text/plain', 'application/json']) {
    app.removeContentTypeParser(type);
    // JSON is YAML: one parser finds the place of a problem in either.
    app.addContentTypeParser(type, { parseAs: 'string', bodyLimit: MOST_BYTES }, (_, body, done) =>
      done(null, body),
    );
  }
  app.post('/simulator/conversations', (request, reply) =>
    runConversation({ request, reply, engine, stopping: stopping.signal }),
  );
}

function runConversation(options: {
  request: FastifyRequest;
  reply: FastifyReply;
  engine: ConversationEngine;
  stopping: AbortSignal;
}): FastifyReply {
  const { request, reply, engine, stopping } = options;
  const asked = query.safeParse(request.query);
  if (!asked.success) return reply.code(400).send({ problems: [z.prettifyError(asked.error)] });
  const { file, record, patience } = asked.data;
  const parsed = parseConversation(typeof request.body === 'string' ? request.body : '', file);
  if (!parsed.ok) return reply.code(400).send({ problems: parsed.problems.map(formatProblem) });

  const left = new AbortController();
  reply.raw.once('close', () => left.abort(new Error('the client went away')));
  const answer = new PassThrough();
  const run = async () => {
    try {
      const conversation = withPatience(parsed.value, patience);
      await engine.run(conversation, conversation.name ?? file, {
        record,
        tell: (event) => answer.write(eventLine(event)),
        signal: AbortSignal.any([left.signal, stopping]),
      });
    } catch (thrown) {
      request.log.error({ err: thrown }, 'a conversation could not be run');
    } finally {
      // An answer without a report tells the client that it broke off.
      answer.end();
    }
  };
  void run();
  return reply.type('application/x-ndjson').send(answer);
}
