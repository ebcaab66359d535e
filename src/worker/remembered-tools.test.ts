import { llm, type voice } from '@livekit/agents';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { rememberedTools } from './remembered-tools.ts';

const functionCall = llm.FunctionCall.create({ callId: 'c-1', name: 'book', args: '{"people":2}' });
const options = {
  ctx: { functionCall } as unknown as voice.RunContext,
  toolCallId: 'c-1',
} as never;

function book(done: string[]) {
  return llm.tool({
    name: 'book',
    description: 'Books a table.',
    parameters: z.object({ people: z.number() }),
    execute: async ({ people }) => {
      done.push(`booked for ${people}`);
      return 'booked';
    },
  });
}

it('writes a tool down before it runs', async () => {
  const done: string[] = [];
  const toolBegins = vi.fn(async ({ name, args }: { name: string; args: string }) => {
    await Promise.resolve();
    done.push(`${name} ${args}`);
  });
  const [tool] = rememberedTools([book(done)], { toolBegins });
  expect(await tool?.execute({ people: 2 }, options)).toBe('booked');
  expect(done).toEqual(['book {"people":2}', 'booked for 2']);
  expect(toolBegins).toHaveBeenCalledWith(expect.objectContaining({ id: 'c-1' }));
});

it('does not have the caller wait for a Redis that is away', async () => {
  const done: string[] = [];
  const never = Promise.withResolvers<void>();
  const [tool] = rememberedTools([book(done)], { toolBegins: async () => never.promise });
  expect(await tool?.execute({ people: 3 }, options)).toBe('booked');
  expect(done).toEqual(['booked for 3']);
});
