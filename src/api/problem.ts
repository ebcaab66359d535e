import { z } from 'zod';

/** A field of the request and what is wrong with it. */
const fieldErrorSchema = z.object({ field: z.string(), reason: z.string() });
export type FieldError = z.infer<typeof fieldErrorSchema>;

/** The body of every answer that is an error: RFC 9457, `application/problem+json`. */
const problemSchema = z.object({
  type: z.string().describe('names the kind of problem, and does not change'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe('what to do about this one'),
  errors: z.array(fieldErrorSchema).optional(),
  personalities: z.array(z.string()).optional().describe('those that there are'),
  trunks: z.array(z.string()).optional().describe('those that there are'),
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
  'not-found': { status: 404, title: 'Not found' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used with another body',
  },
  internal: { status: 500, title: 'Something went wrong here' },
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
    more: Pick<Problem, 'errors' | 'personalities' | 'trunks'> & { retryAfterS?: number } = {},
  ) {
    super(detail);
    this.name = 'ApiProblem';
    const { retryAfterS, ...members } = more;
    this.problem = { type: `urn:trunkline:problem:${kind}`, ...kinds[kind], detail, ...members };
    this.retryAfterS = retryAfterS;
  }
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
