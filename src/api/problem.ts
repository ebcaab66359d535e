import { z } from 'zod';

/** A field of the request and what is wrong with it. */
const fieldErrorSchema = z.object({ field: z.string(), reason: z.string() });
export type FieldError = z.infer<typeof fieldErrorSchema>;

/** The body of every answer that is an error: RFC 9457, `application/problem+json`. */
export const problemSchema = z.object({
  type: z.string().describe('names the kind of problem, and does not change'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe('what to do about this one'),
  errors: z.array(fieldErrorSchema).optional(),
  personalities: z.array(z.string()).optional().describe('those that there are'),
  trunks: z.array(z.string()).optional().describe('those that there are'),
  types: z.array(z.string()).optional().describe('those that there are'),
  sip_status: z.number().int().optional().describe('what the far end said, RFC 3261'),
});
export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

const kinds = {
  'bad-request': { status: 400, title: 'The request is not valid' },
  'impossible-number': { status: 400, title: 'The number cannot exist' },
  'unknown-personality': { status: 400, title: 'There is no such personality' },
  'unknown-trunk': { status: 400, title: 'There is no such trunk' },
  'not-permitted': { status: 400, title: 'No trunk permits this call' },
  unauthorized: { status: 401, title: 'The API key is missing or wrong' },
  forbidden: { status: 403, title: 'The API key does not permit this' },
  'not-found': { status: 404, title: 'Not found' },
  'call-over': { status: 409, title: 'The call has ended already' },
  'not-cancelable': { status: 409, title: 'The call cannot be canceled any more' },
  'not-answered': { status: 409, title: 'The call is not answered yet' },
  'no-agent': { status: 409, title: 'No agent is on the call' },
  'agent-busy': { status: 409, title: 'The agent is doing something that must end first' },
  'far-end-refused': { status: 409, title: 'The far end refused' },
  'endpoint-disabled': { status: 409, title: 'The endpoint is disabled or deleted' },
  'not-delivered': { status: 409, title: 'The delivery is still on its way' },
  'too-many-endpoints': { status: 409, title: 'There are as many endpoints as there may be' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'not-ended': { status: 409, title: 'The call has not ended' },
  'method-not-allowed': { status: 405, title: 'The address does not know this method' },
  gone: { status: 410, title: 'It was here and has been removed' },
  'precondition-failed': { status: 412, title: 'The condition of the request does not hold' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  'range-not-satisfiable': { status: 416, title: 'There is no such part' },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used with another body',
  },
  'unknown-type': { status: 422, title: 'There is no such type' },
  'unreadable-sound': { status: 422, title: 'The sound cannot be decoded' },
  'nothing-heard': { status: 422, title: 'No words were heard' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'vendor-failed': { status: 502, title: 'A vendor did not do its part' },
  internal: { status: 500, title: 'Something went wrong here' },
  'agent-silent': { status: 504, title: 'The agent did not answer' },
  unavailable: { status: 503, title: 'Not possible at the moment' },
} as const;

type ProblemKind = keyof typeof kinds;

/** Thrown by a handler to answer with a problem. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  /** Seconds, as the header wants it (RFC 9110, section 10.2.3). */
  readonly retryAfterS: number | undefined;

  constructor(
    kind: ProblemKind,
    detail: string,
    more: Pick<Problem, 'errors' | 'personalities' | 'trunks' | 'types' | 'sip_status'> & {
      retryAfterS?: number;
    } = {},
  ) {
    super(detail);
    this.name = 'ApiProblem';
    const { retryAfterS, ...members } = more;
    this.problem = { type: `urn:trunkline:problem:${kind}`, ...kinds[kind], detail, ...members };
    this.retryAfterS = retryAfterS;
  }
}

/** One field is wrong, for a reason that no schema can say. */
export function invalidField(field: string, reason: string): ApiProblem {
  return new ApiProblem('bad-request', `${field}: ${reason}.`, { errors: [{ field, reason }] });
}

/** The problem of a body that is not what its schema says. */
export function invalidBody(error: z.ZodError): ApiProblem {
  const errors = error.issues.flatMap((issue) => {
    const field = issue.path.map(String).join('.');
    if (issue.code !== 'unrecognized_keys') {
      return [{ field: field === '' ? 'body' : field, reason: issue.message }];
    }
    return issue.keys.map((key) => ({
      field: field === '' ? key : `${field}.${key}`,
      reason: 'there is no such field',
    }));
  });
  const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
  return new ApiProblem('bad-request', detail, { errors });
}

/** The OpenAPI responses of an operation for these statuses. */
export function problemResponses<S extends Problem['status']>(
  ...statuses: S[]
): Record<S, ReturnType<typeof problemResponse>> {
  const responses = statuses.map((status) => [status, problemResponse(status)] as const);
  return Object.fromEntries(responses) as Record<S, ReturnType<typeof problemResponse>>;
}

function problemResponse(status: number) {
  const titles = Object.values(kinds).filter((kind) => kind.status === status);
  return {
    description: titles.map(({ title }) => title).join('; '),
    content: { [PROBLEM_TYPE]: { schema: problemSchema } },
  };
}
