import { llm } from '@livekit/agents';
import { z } from 'zod';

const DESCRIPTION = `Ends the telephone call.
Call it when the conversation is finished: the other side says goodbye, wants nothing more, or asks you to hang up.
Do not call it while a question is open, or when the other side only asks you to wait.
Say goodbye either in your message or in "farewell", not in both. Nothing can be said afterwards.`;

const parameters = z.object({
  farewell: z
    .string()
    .optional()
    .describe('last words to the other side, where your message does not hold them already'),
});

export const END_CALL = 'end_call';

/** The tool with which the model ends the call; `hangUp` runs when all of the goodbye has been played. */
export function endCallTool(hangUp: () => void) {
  return llm.tool({
    name: END_CALL,
    description: DESCRIPTION,
    parameters,
    onDuplicate: 'reject',
    execute: async ({ farewell }, { ctx }) => {
      if (ctx.speechHandle.interrupted) {
        return 'The call goes on: the other side has just said something.';
      }
      ctx.speechHandle.allowInterruptions = false;
      await ctx.waitForPlayout();
      const words = farewell?.trim() ?? '';
      if (words !== '') {
        await ctx.session.say(words, { allowInterruptions: false }).waitForPlayout();
      }
      hangUp();
      // No output: the framework asks the model for no further reply.
      return undefined;
    },
  });
}
