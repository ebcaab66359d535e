import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultsSchema, type Faults } from './faults.ts';

/** `GET`, `PUT` and `DELETE /simulator/faults`: what is wrong with the vendors' stand-ins. */
export function mountFaults(app: FastifyInstance, faults: Faults): void {
  const current = () => ({ stt: faults.of('stt'), llm: faults.of('llm'), tts: faults.of('tts') });
  app.get('/simulator/faults', () => current());
  app.put('/simulator/faults', (request, reply) => {
    const wanted = faultsSchema.safeParse(request.body);
    if (!wanted.success) return reply.code(400).send({ problems: [z.prettifyError(wanted.error)] });
    faults.replace(wanted.data);
    return reply.send(current());
  });
  app.delete('/simulator/faults', () => {
    faults.replace({});
    return current();
  });
}
