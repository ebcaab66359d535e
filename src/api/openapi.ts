import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Scope } from '../access/scope.ts';
import { describeQueryObjects } from './openapi-query-objects.ts';
import { PROBLEM_TYPE, problemResponses } from './problem.ts';
import { describeWebhooks } from './webhooks/event-types.ts';

const DESCRIPTION = `A self-hosted call centre of AI agents.

Errors are problems of RFC 9457 (\`${PROBLEM_TYPE}\`); \`type\` tells their kinds apart. Times are ISO 8601, in
UTC. A field or parameter that there is not is an error. An address that knows another method only answers 405.`;

const TAGS = [
  { name: 'calls', description: 'Place calls, look at them, steer them, export and erase them' },
  { name: 'webhooks', description: 'Who is told of events, and what became of each delivery' },
  { name: 'live', description: 'What happens, while it happens' },
  { name: 'access', description: 'Keys, and the record of who changed what' },
  { name: 'operation', description: 'Health, backup, and trying things out' },
];

/** What every operation below `/api` may answer, whatever else it does; and each that may have a body. */
const COMMON = problemResponses(401, 403, 429, 500, 503);
const COMMON_WITH_BODY = { ...COMMON, ...problemResponses(400, 413, 415) };

type Document = Extract<
  Parameters<SwaggerTransformObject>[0],
  { openapiObject: unknown }
>['openapiObject'];

const HEADERS: Record<string, object> = {
  401: { 'WWW-Authenticate': header('string', 'how to send a key') },
  429: { 'Retry-After': header('integer', 'seconds to wait') },
  503: { 'Retry-After': header('integer', 'seconds to wait') },
};

/** How the document of the API is made of its routes. */
export const openapiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: { title: 'Trunkline', description: DESCRIPTION, version: '1' },
    tags: TAGS,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer', description: 'the same key' },
      },
    },
  },
  transform: (input) => {
    const { scope } = input.route.config ?? {};
    const schema = complete(input.schema, input.url, [input.route.method].flat()[0] ?? '', scope);
    return jsonSchemaTransform({ ...input, schema });
  },
  transformObject: (input) => {
    if (!('openapiObject' in input)) return input.swaggerObject;
    describeQueryObjects(input);
    return Object.assign(tidy(input.openapiObject), { webhooks: describeWebhooks() });
  },
};

/** Adds what is the same for all, and which key an operation wants. */
function complete(
  schema: FastifySchema | undefined,
  url: string,
  method: string,
  scope: Scope = 'manage',
): FastifySchema {
  if (!schema || schema.hide) return { ...schema, hide: true };
  const operationId = schema.operationId ?? nameOf(method, url);
  if (!url.startsWith('/api/') || schema.security?.length === 0) return { ...schema, operationId };
  const others = schema.security?.filter((one) => !('apiKey' in one)) ?? [];
  const common = method === 'GET' ? COMMON : COMMON_WITH_BODY;
  const needs = `Wants a key with the scope \`${scope}\`.`;
  return {
    ...schema,
    operationId,
    description: schema.description === undefined ? needs : `${schema.description}\n\n${needs}`,
    security: [{ apiKey: [] }, { bearer: [] }, ...others],
    response: { ...common, ...(schema.response as object) },
  };
}

/** `GET /api/calls/{id}` is `getCallsById`. */
function nameOf(method: string, url: string): string {
  const words = url
    .replace(/^\/api/, '')
    .split('/')
    .flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/\W/)))
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${method.toLowerCase()}${words.join('')}`;
}

/** Names the problem once, and the headers that come with one. */
function tidy(document: Document): Document {
  const schemas: Record<string, unknown> = {};
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) {
      if (typeof operation !== 'object' || !('responses' in operation)) continue;
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        if (!('content' in response)) continue;
        const media = response.content?.[PROBLEM_TYPE];
        if (!media?.schema) continue;
        schemas['Problem'] ??= media.schema;
        media.schema = { $ref: '#/components/schemas/Problem' };
        Object.assign(response, { headers: { ...HEADERS[status], ...response.headers } });
      }
    }
  }
  const { components } = document;
  return Object.assign(document, {
    components: { ...components, schemas: { ...schemas, ...components?.schemas } },
  });
}

function header(type: 'string' | 'integer', description: string): object {
  return { description, schema: { type } };
}
