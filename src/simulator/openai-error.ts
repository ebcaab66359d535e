import type { FastifyReply } from 'fastify';

/**
 * An error in OpenAI's shape.
 * @see https://platform.openai.com/docs/guides/error-codes
 */
export function sendOpenAiError(
  reply: FastifyReply,
  status: number,
  message?: string,
): FastifyReply {
  const { type, code, text } = describe(status);
  return reply.code(status).send({ error: { message: message ?? text, type, param: null, code } });
}

function describe(status: number): { type: string; code: string | null; text: string } {
  switch (status) {
    case 401:
      return {
        type: 'invalid_request_error',
        code: 'invalid_api_key',
        text: 'Incorrect API key provided.',
      };
    case 404:
      return {
        type: 'invalid_request_error',
        code: 'model_not_found',
        text: 'The model does not exist.',
      };
    case 429:
      return {
        type: 'requests',
        code: 'rate_limit_exceeded',
        text: 'Rate limit reached for requests.',
      };
    default:
      return status < 500
        ? { type: 'invalid_request_error', code: null, text: 'The request is not valid.' }
        : {
            type: 'server_error',
            code: null,
            text: 'The server had an error while processing your request.',
          };
  }
}
