import { llm } from '@livekit/agents';
import type { MemoryItem } from '../call/conversation-memory.ts';
import { END_CALL } from './end-call-tool.ts';

const UNKNOWN_OUTCOME =
  'The connection broke off while this ran: its outcome is unknown. It is not repeated.';

/**
 * What the model is told of a conversation that another agent has begun. A tool that was running then stands there
 * with an outcome that is not known, so that the model does not ask for it again.
 */
export function chatHistory(items: readonly MemoryItem[]): llm.ChatContext {
  const answered = new Set(items.flatMap((item) => (item.kind === 'tool_result' ? [item.id] : [])));
  const begun = new Set(items.flatMap((item) => (item.kind === 'tool' ? [item.id] : [])));
  const told = items
    .toSorted((a, b) => a.at - b.at)
    .flatMap((item): llm.ChatItem[] => {
      switch (item.kind) {
        case 'event':
          return message(item);
        case 'tool': {
          const { id: callId, name, args, extra, at: createdAt } = item;
          const call = llm.FunctionCall.create({
            callId,
            name,
            args,
            createdAt,
            ...(extra === undefined ? {} : { extra }),
          });
          if (answered.has(callId)) return [call];
          // To hang up has no effect but the one, which it had not.
          if (name === END_CALL) return [];
          return [
            call,
            result({ callId, name, output: UNKNOWN_OUTCOME, isError: true, createdAt }),
          ];
        }
        case 'tool_result': {
          // Of a long call the beginning is not kept, and an outcome without its call is refused by vendors.
          const { id: callId, name, output, isError, at: createdAt } = item;
          return begun.has(callId) ? [result({ callId, name, output, isError, createdAt })] : [];
        }
      }
    });
  return new llm.ChatContext(told);
}

const result = (options: Parameters<typeof llm.FunctionCallOutput.create>[0]) =>
  llm.FunctionCallOutput.create(options);

function message({ event, at }: Extract<MemoryItem, { kind: 'event' }>): llm.ChatItem[] {
  if (event.type !== 'turn') return [];
  const { role, text, interrupted } = event.data;
  return [
    llm.ChatMessage.create({
      role: role === 'caller' ? 'user' : 'assistant',
      content: text,
      interrupted,
      createdAt: at,
    }),
  ];
}
