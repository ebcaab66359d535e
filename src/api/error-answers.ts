import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isAway, withoutValues } from '../platform/database-failure.ts';
import { ApiProblem, PROBLEM_TYPE, type FieldError } from './problem.ts';

/** Makes every error of the app a problem; what went wrong on our side is logged and not told. */
export function answerErrors(app: FastifyInstance): void {
  app.setNotFoundHandler(async (_request, reply) =>
    send(
      reply,
      new ApiProblem('not-found', 'There is nothing at this address; /docs lists what is.'),
    ),
  );
  app.setErrorHandler(async (thrown, request, reply) => {
    const problem = problemOf(thrown);
    if (problem.problem.status >= 500 && !(thrown instanceof ApiProblem)) {
      const route = request.routeOptions.url;
      request.log.error({ err: withoutValues(thrown), route }, 'a request failed');
    }
    return send(reply, problem);
  });
}

/** Already serialized, so that no schema of the route stands in the way. */
export function send(reply: FastifyReply, { problem, retryAfterS }: ApiProblem): FastifyReply {
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  if (problem.status === 401) {
    reply.header('www-authenticate', 'ApiKey header="X-API-Key", Bearer realm="trunkline"');
  }
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_TYPE)
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** Answers what is not HTTP, or too much of it, and so never becomes a request; then closes the connection. */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  // The other side is gone, or an answer has begun.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { problem } = malformed(error.code);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function malformed(code: string | undefined): ApiProblem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiProblem('headers-too-large', 'Address and headers may have 16 KiB at most.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiProblem('request-timeout', 'Send the request without pausing.');
  }
  return new ApiProblem('bad-request', 'This is not HTTP/1.1.');
}

export function problemOf(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiProblem) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const errors = thrown.validation.flatMap(({ instancePath, keyword, message, params }) =>
      fieldErrors(instancePath, keyword, message ?? '', params),
    );
    const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    return new ApiProblem('bad-request', detail, { errors });
  }
  if (isAway(thrown)) {
    return new ApiProblem('unavailable', 'The database is away; send it again.', {
      retryAfterS: 5,
    });
  }
  const { status, message } = httpError(thrown);
  if (status === 413) {
    return new ApiProblem(
      'too-large',
      'The body may have 256 KiB at most, a batch of calls 8 MiB.',
    );
  }
  if (status === 415) {
    return new ApiProblem(
      'unsupported-media-type',
      'Send JSON, with content-type: application/json; /docs says where something else is wanted.',
    );
  }
  if (status >= 400 && status < 500) return new ApiProblem('bad-request', message);
  return new ApiProblem('internal', 'The log of the api tells what happened.');
}

function fieldErrors(
  instancePath: string,
  keyword: string,
  message: string,
  params: Record<string, unknown>,
): FieldError[] {
  const field = instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'unrecognized_keys' && Array.isArray(params.keys)) {
    return params.keys.map((key) => ({
      field: [field, String(key)].filter((part) => part !== '').join('.'),
      reason: 'there is no such field',
    }));
  }
  return [{ field: field === '' ? 'body' : field, reason: message }];
}

/** What Fastify throws carries its status; everything else is our failure. */
function httpError(thrown: unknown): { status: number; message: string } {
  if (!(thrown instanceof Error)) return { status: 500, message: '' };
  const status = 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
  return { status, message: thrown.message };
}
