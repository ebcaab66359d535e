import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, it, vi } from 'vitest';
import { voicePipelineRoute } from './voice-pipeline.ts';

it('begins no turn for a client that went away while its key was looked up', async () => {
  const app = fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  let answered = 0;
  app.addHook('onRequest', async (_request, reply) => {
    const response: ServerResponse = reply.raw;
    await once(response, 'close');
  });
  app.setErrorHandler(async () => {
    answered += 1;
  });
  const begin = vi.fn<() => never>(() => {
    throw new Error('nobody waits for it');
  });
  await app.register(voicePipelineRoute, {
    speech: { begin },
    personality: () => ({ key: 'receptionist', simulated: true }),
  });
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const client = connect(Number(port), '127.0.0.1');
  const asked = once(app.server, 'request');
  client.write(
    'POST /voice-pipeline HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n' +
      'content-type: multipart/form-data; boundary=abc\r\n\r\n--abc',
  );
  await asked;
  client.resetAndDestroy();
  await vi.waitFor(() => expect(answered).toBe(1), { timeout: 30_000 });
  expect(begin).not.toHaveBeenCalled();
  await app.close();
});
