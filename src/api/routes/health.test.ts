import fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, it } from 'vitest';
import { healthy, unhealthy } from '../health/check.ts';
import { healthRoute } from './health.ts';

it('asks the parts once for all who ask meanwhile, and anew for the next', async () => {
  let asked = 0;
  const slow = Promise.withResolvers<void>();
  const app = fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(healthRoute, {
    checks: {
      database: {
        vital: true,
        run: async () => {
          asked += 1;
          await slow.promise;
          return asked === 1 ? healthy('answers') : unhealthy('does not answer');
        },
      },
    },
  });
  const flood = Array.from({ length: 50 }, async () => app.inject('/health'));
  await app.ready();
  slow.resolve();
  const codes = (await Promise.all(flood)).map(({ statusCode }) => statusCode);
  expect(new Set(codes)).toEqual(new Set([200]));
  expect(asked).toBe(1);
  expect((await app.inject('/health')).statusCode).toBe(503);
  await app.close();
});
