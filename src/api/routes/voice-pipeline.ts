import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ApiProblem, invalidField, problemResponses } from '../problem.ts';
import { SpeechBusy, type SpeechHost, type Turn } from '../speech/speech-host.ts';
import { LARGEST_FILE_BYTES } from '../speech/speech-limits.ts';
import {
  TurnError,
  type TurnFailure,
  type TurnRequest,
  type TurnResult,
} from '../speech/speech-message.ts';
import { isStorable } from '../storable-body.ts';

const LIMITS = {
  fileSize: LARGEST_FILE_BYTES,
  files: 1,
  fields: 3,
  parts: 4,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
};
const BUSY_RETRY_S = 5;

const variables = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const formSchema = z.object({
  file: z
    .string()
    .meta({ format: 'binary' })
    .describe('wav, mp3, ogg (Opus, Vorbis) or webm; 10 MB and 2 minutes at most'),
  personality: z.string().max(100).optional().describe('who answers; absent: DEFAULT_PERSONALITY'),
  llm_prompt: z
    .string()
    .max(32_000)
    .optional()
    .describe("instead of the personality's prompt or after it, as the personality says"),
  variables: z.string().optional().describe("values of the prompt's variables, as a JSON object"),
});

const ms = z.number().int();
const answerSchema = z.object({
  personality: z.string(),
  simulated: z.boolean().describe('its vendors were the stand-ins'),
  heard: z.object({ text: z.string(), duration_ms: ms }),
  reply: z.object({
    text: z.string(),
    audio: z.object({
      content_type: z.literal('audio/wav'),
      base64: z.string(),
      duration_ms: ms,
    }),
  }),
  timings_ms: z
    .object({
      decode: ms,
      stt: ms,
      llm_first_token: ms.describe('from the question to the first word of the answer'),
      llm: ms,
      tts_first_byte: ms,
      tts: ms,
      total: ms.describe('from the first byte of the request to the answer'),
    })
    .describe('how long each stage took'),
});

export type VoicePipelineDeps = {
  speech: Pick<SpeechHost, 'begin'>;
  /** Finds who answers. @throws ApiProblem */
  personality: (key: string | undefined) => { key: string; simulated: boolean };
};

/** `POST /voice-pipeline`: one turn without a call. */
export const voicePipelineRoute: FastifyPluginAsyncZod<VoicePipelineDeps> = async (app, deps) => {
  await app.register(multipart, { limits: LIMITS, throwFileSizeLimit: false });
  app.post(
    '/voice-pipeline',
    {
      config: { scope: 'call' },
      // The body is a stream of parts; it is checked as it comes.
      validatorCompiler: () => () => true,
      schema: {
        tags: ['operation'],
        summary: 'Hear a recording, and answer it once, without a call',
        description:
          'With `Accept: audio/wav` the answer is the sound itself; the texts are in the headers ' +
          '`X-Heard-Text` and `X-Reply-Text` (percent-encoded), the times in `Server-Timing`.',
        security: [{ apiKey: [] }],
        consumes: ['multipart/form-data'],
        body: formSchema,
        response: {
          200: {
            description: 'What was heard, and what is answered',
            content: {
              'application/json': { schema: answerSchema },
              'audio/wav': { schema: z.string().meta({ format: 'binary' }) },
            },
          },
          ...problemResponses(400, 401, 403, 413, 415, 422, 500, 502, 503),
        },
      },
    },
    async (request, reply) => {
      const start = performance.now();
      if (reply.raw.closed) {
        // Its end would not be told again, and the turn would never be over.
        throw new ApiProblem('request-timeout', 'The connection was closed.');
      }
      const turn = begin(deps.speech);
      reply.raw.once('close', () => turn.end());
      const { personality, result } = await runTurn(deps, turn, request).catch(
        (thrown: unknown) => {
          throw thrown instanceof TurnError ? problemOf(thrown.failure) : thrown;
        },
      );
      const timings = { ...result.timings, total: Math.round(performance.now() - start) };
      const header = Object.entries(timings).map(([stage, duration]) => `${stage};dur=${duration}`);
      void reply.header('server-timing', header.join(', '));
      if (!wantsWav(request)) return viewTurn(personality, result, timings);
      return reply
        .header('x-heard-text', encodeURIComponent(result.heard))
        .header('x-reply-text', encodeURIComponent(result.reply))
        .type('audio/wav')
        .serializer((payload: unknown) => payload as string)
        .send(Buffer.from(result.sound) as never);
    },
  );
};

function begin(speech: VoicePipelineDeps['speech']): Turn {
  try {
    return speech.begin();
  } catch (thrown) {
    if (!(thrown instanceof SpeechBusy)) throw thrown;
    throw new ApiProblem('unavailable', 'Others are being heard; send it again.', {
      retryAfterS: BUSY_RETRY_S,
    });
  }
}

async function runTurn(deps: VoicePipelineDeps, turn: Turn, request: FastifyRequest) {
  const fields = new Map<string, string>();
  let files = 0;
  if (!request.isMultipart() || !/;\s*boundary=/i.test(request.headers['content-type'] ?? '')) {
    throw new ApiProblem(
      'unsupported-media-type',
      'Send multipart/form-data, with its boundary and the part file.',
    );
  }
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      if (part.fieldname !== 'file') throw unknownField(part.fieldname);
      files += 1;
      await hearPart(turn, part);
    } else {
      if (!(part.fieldname in formSchema.shape)) throw unknownField(part.fieldname);
      fields.set(part.fieldname, String(part.value));
    }
  }
  if (files === 0) throw invalidField('file', 'is required: the sound, as a file');
  const personality = deps.personality(fields.get('personality'));
  const result = await turn.answer(requestOf(personality.key, fields));
  return { personality, result };
}

/** Passes the sound on as it comes; after a failure the rest is read and dropped, so that the answer is. */
async function hearPart(turn: Turn, part: MultipartFile): Promise<void> {
  try {
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      await Promise.race([turn.push(chunk), turn.failed]);
    }
  } catch (thrown) {
    part.file.resume();
    throw thrown;
  }
  if (part.file.truncated) throw new ApiProblem('too-large', 'The file may have 10 MB at most.');
}

function requestOf(personality: string, fields: ReadonlyMap<string, string>): TurnRequest {
  const prompt = fields.get('llm_prompt');
  for (const [field, value] of fields) {
    if (!isStorable(value)) throw invalidField(field, 'holds U+0000 or half of a surrogate pair');
  }
  return {
    personality,
    ...(prompt === undefined ? {} : { prompt }),
    variables: variablesOf(fields.get('variables')),
  };
}

function variablesOf(text: string | undefined): TurnRequest['variables'] {
  try {
    return variables.parse(JSON.parse(text ?? '{}'));
  } catch {
    throw invalidField('variables', 'must be a JSON object of texts, numbers and booleans');
  }
}

function wantsWav(request: FastifyRequest): boolean {
  return /\baudio\/(wav|x-wav|wave|\*)/.test(request.headers.accept ?? '');
}

function viewTurn(
  personality: { key: string; simulated: boolean },
  result: TurnResult,
  timings: z.infer<typeof answerSchema>['timings_ms'],
): z.infer<typeof answerSchema> {
  return {
    personality: personality.key,
    simulated: personality.simulated,
    heard: { text: result.heard, duration_ms: result.heardMs },
    reply: {
      text: result.reply,
      audio: {
        content_type: 'audio/wav',
        base64: Buffer.from(result.sound).toString('base64'),
        duration_ms: result.soundMs,
      },
    },
    timings_ms: timings,
  };
}

function problemOf({ kind, detail }: TurnFailure): ApiProblem {
  switch (kind) {
    case 'unknown_format':
      return new ApiProblem('unsupported-media-type', detail);
    case 'broken_sound':
      return new ApiProblem('unreadable-sound', detail);
    case 'too_long':
      return new ApiProblem('too-large', detail);
    case 'nothing_heard':
      return new ApiProblem('nothing-heard', detail);
    case 'vendor_failed':
      return new ApiProblem('vendor-failed', detail);
    case 'no_prompt':
      return new ApiProblem('bad-request', detail);
    case 'lost':
      return new ApiProblem('unavailable', detail, { retryAfterS: BUSY_RETRY_S });
  }
}

function unknownField(name: string): ApiProblem {
  return invalidField(name.slice(0, LIMITS.fieldNameSize), 'there is no such field');
}
