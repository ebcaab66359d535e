import type { FastifyInstance } from 'fastify';
import { mountSpeech, mountTranscriptions } from './openai-audio.ts';
import { mountChat } from './openai-chat.ts';
import { sendOpenAiError } from './openai-error.ts';
import type { VendorDeps } from './vendor-deps.ts';

const MODELS = ['sim-llm', 'sim-tts', 'sim-stt'];

/** OpenAI's stand-in under `/v1`: chat, speech, transcriptions, models. Any key will do, but there must be one. */
export async function mountOpenAi(app: FastifyInstance, deps: VendorDeps): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.addHook('onRequest', async (request, reply) => {
      if (/^Bearer \S+/.test(request.headers.authorization ?? '')) return undefined;
      return sendOpenAiError(reply, 401, "You didn't provide an API key.");
    });
    scope.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500;
      return sendOpenAiError(reply, status, error.message);
    });
    mountChat(scope, deps);
    mountSpeech(scope, deps);
    mountTranscriptions(scope, deps);
    scope.get('/v1/models', () => ({
      object: 'list',
      data: MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'trunkline' })),
    }));
    done();
  });
}
