import type { llm } from '@livekit/agents';
import type { MemoryWriter } from '../call/memory-writer.ts';
import { within } from './within.ts';

/** Longest wait for Redis before a tool runs: the caller waits, too. 1 ms is usual. */
const WRITTEN_MS = 250;

/**
 * The same tools, each of which is written down before it runs: where the agent is lost meanwhile, the next one
 * knows of it and does not repeat what it does.
 */
export function rememberedTools<T extends llm.FunctionTool<never, never>>(
  tools: readonly T[],
  memory: Pick<MemoryWriter, 'toolBegins'>,
): T[] {
  return tools.map((tool) => ({
    ...tool,
    execute: async (args: never, options: Parameters<T['execute']>[1]) => {
      const { callId: id, name, args: text, extra } = options.ctx.functionCall;
      await within(memory.toolBegins({ id, name, args: text, extra }), WRITTEN_MS);
      return tool.execute(args, options);
    },
  }));
}
