import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Fault } from './faults.ts';

/**
 * Lets a fault have its way with an HTTP request before it is answered: waits, hangs until the client gives
 * up, or fails with the fault's status. Resolves true when the request may be answered.
 */
export async function passFault(
  fault: Fault,
  reply: FastifyReply,
  fail: (status: number) => FastifyReply,
): Promise<boolean> {
  if (fault.hang) {
    await gone(reply);
    return false;
  }
  if (!(await waitUnlessGone(fault.delayMs ?? 0, reply))) return false;
  if (fault.status === undefined) return true;
  await fail(fault.status);
  return false;
}

/** Waits; resolves false as soon as the client has gone. */
export async function waitUnlessGone(durationMs: number, reply: FastifyReply): Promise<boolean> {
  if (durationMs === 0) return !reply.raw.destroyed;
  const left = new AbortController();
  const leave = () => left.abort();
  reply.raw.once('close', leave);
  try {
    await wait(durationMs, undefined, { signal: left.signal });
    return true;
  } catch {
    return false;
  } finally {
    reply.raw.off('close', leave);
  }
}

async function gone(reply: FastifyReply): Promise<void> {
  if (!reply.raw.destroyed) await once(reply.raw, 'close');
}
