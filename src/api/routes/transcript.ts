import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import Negotiator from 'negotiator';
import { z } from 'zod';
import type { Ledger } from '../../call/ledger/ledger.ts';
import {
  transcriptFormats,
  transcriptTypes,
  writeTranscript,
  type TranscriptFormat,
} from '../../call/transcript/formats.ts';
import { transcriptOf } from '../../call/transcript/transcript.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { isStorable } from '../storable-body.ts';
import { transcriptSchema, viewTranscript } from '../transcript-view.ts';

const media = z.string();

/** `GET /calls/:id/transcript`. */
export const transcriptRoute: FastifyPluginAsyncZod<{ ledger: Pick<Ledger, 'find'> }> = async (
  app,
  { ledger },
) => {
  app.get(
    '/calls/:id/transcript',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['calls'],
        summary: 'What was said in a call, as JSON, Markdown, text or SRT',
        description: '`format` decides; without it the header `Accept`, and else it is JSON.',
        security: [{ apiKey: [] }],
        params: z.object({ id: z.string().describe('opaque id, or the public `call_id`') }),
        querystring: z.strictObject({ format: z.enum(transcriptFormats).optional() }),
        response: {
          200: {
            description: 'the transcript',
            content: {
              [transcriptTypes.json]: { schema: transcriptSchema },
              [transcriptTypes.markdown]: { schema: media },
              [transcriptTypes.text]: { schema: media },
              [transcriptTypes.srt]: { schema: media.describe('times from the answer on') },
            },
          },
          ...problemResponses(400, 401, 403, 404, 410, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const record = isStorable(id) ? await ledger.find(id) : undefined;
      if (!record) throw new ApiProblem('not-found', 'There is no call with this id.');
      if (record.call.erasedAt) {
        throw new ApiProblem('gone', 'The personal data of the call was erased.');
      }
      const transcript = transcriptOf(record);
      if (!transcript) {
        throw new ApiProblem('not-found', 'The call has no transcript: nobody has spoken.');
      }
      const format = request.query.format ?? accepted(request.headers);
      reply.header('vary', 'Accept');
      if (format === 'json') return viewTranscript(transcript);
      return reply
        .type(`${transcriptTypes[format]}; charset=utf-8`)
        .send(writeTranscript(transcript, format));
    },
  );
};

/** Where nothing that is accepted can be given, JSON is better than nothing (RFC 9110, section 12.4.1). */
function accepted(headers: { accept?: string | undefined }): TranscriptFormat {
  const type = new Negotiator({ headers }).mediaType(Object.values(transcriptTypes));
  return transcriptFormats.find((format) => transcriptTypes[format] === type) ?? 'json';
}
