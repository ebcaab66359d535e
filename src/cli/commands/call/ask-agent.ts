import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ApiClient } from '../../api-client.ts';
import { CONTROL_TIMEOUT_MS, pathOf } from './call-view.ts';

const answerSchema = z.object({ status: z.enum(['done', 'accepted']) });

/** Has the agent of a call do something, and prints what became of it. */
export async function askAgent(
  { id, what, body }: { id: string; what: string; body: object },
  said: { done: string; accepted: string },
  json: boolean,
): Promise<void> {
  const answer = await ApiClient.ofConfig().json('POST', pathOf(id, what), answerSchema, {
    body,
    headers: { 'idempotency-key': randomUUID() },
    timeoutMs: CONTROL_TIMEOUT_MS,
  });
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${said[answer.status]}\n`);
}
