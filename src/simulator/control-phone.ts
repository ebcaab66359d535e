import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { SipPhone } from './phone/sip-phone.ts';

const query = z.strictObject({ to: z.string().optional() });

/**
 * `GET /simulator/phone/invites?to=…`: the calls that reached the simulated phone, one entry a Call-ID, the
 * oldest first. A double dial shows here as two.
 */
export function mountPhone(app: FastifyInstance, phone: SipPhone): void {
  app.get('/simulator/phone/invites', (request, reply) => {
    const asked = query.safeParse(request.query);
    if (!asked.success) return reply.code(400).send({ problems: [z.prettifyError(asked.error)] });
    // A plus that was not encoded has become a space.
    const to = asked.data.to?.trim();
    return reply.send({ invites: phone.invites(to === undefined ? undefined : { to }) });
  });
}
