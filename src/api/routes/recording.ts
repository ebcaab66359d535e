import send from '@fastify/send';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Ledger } from '../../call/ledger/ledger.ts';
import { isRecordingFile } from '../../call/recording/recording-file.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { isStorable } from '../storable-body.ts';

const TYPE = 'audio/wav';

const sound = (description: string) => ({
  description,
  content: { [TYPE]: { schema: z.string().meta({ format: 'binary' }) } },
});

/**
 * `GET /calls/:id/recording`, and `HEAD`. Ranges and conditions as in RFC 9110, sections 13 and 14.
 *
 * @param options.folder of the recordings; nothing outside of it is ever read
 */
export const recordingRoute: FastifyPluginAsyncZod<{
  ledger: Pick<Ledger, 'find'>;
  folder: string;
}> = async (app, { ledger, folder }) => {
  app.get(
    '/calls/:id/recording',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['calls'],
        summary: 'The recording of a call, where its personality records',
        description:
          'A WAV file of G.711 µ-law, 8 kHz, stereo: left the caller, right the agent. Ranges are served.',
        security: [{ apiKey: [] }],
        params: z.object({ id: z.string().describe('opaque id, or the public `call_id`') }),
        response: {
          200: sound('the whole'),
          206: sound('the part that `Range` asks for'),
          304: z.null().describe('unchanged since `If-None-Match` or `If-Modified-Since`'),
          ...problemResponses(400, 401, 403, 404, 410, 412, 416, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const record = isStorable(id) ? await ledger.find(id) : undefined;
      if (!record) throw new ApiProblem('not-found', 'There is no call with this id.');
      const { call } = record;
      if (call.erasedAt) throw new ApiProblem('gone', 'The personal data of the call was erased.');
      if (!call.recording) throw new ApiProblem('not-found', absenceOf(call.status));
      const { file } = call.recording;
      if (!isRecordingFile(file)) throw new Error('the record names no file of a recording');

      const found = await send(request.raw, `/${file}`, {
        root: folder,
        index: false,
        cacheControl: false,
        contentType: false,
      });
      reply.headers({
        'cache-control': 'private, no-cache',
        'content-disposition': `inline; filename="${call.id}.wav"`,
      });
      if (found.type === 'file') {
        // The route's types know what a string is, and not that bytes may come as a stream.
        const answer = reply as unknown as FastifyReply;
        if (found.statusCode !== 304) answer.type(TYPE);
        return answer.code(found.statusCode).headers(found.headers).send(found.stream);
      }
      switch (found.statusCode) {
        case 412:
          throw new ApiProblem('precondition-failed', 'The recording is not the one you expect.');
        case 416:
          reply.header('content-range', found.headers['Content-Range']);
          throw new ApiProblem('range-not-satisfiable', 'The recording is shorter than that.');
        case 404:
          throw new ApiProblem('gone', 'The recording was removed from its folder.');
        default:
          throw new Error('the recording cannot be read', { cause: failureOf(found) });
      }
    },
  );
};

function absenceOf(status: string): string {
  return status === 'ended'
    ? 'The call was not recorded: its personality does not record, nobody answered, or the recording failed.'
    : 'There is no recording yet: it is here when the call has ended.';
}

function failureOf(found: Awaited<ReturnType<typeof send>>): unknown {
  return found.type === 'error' ? found.metadata.error : undefined;
}
