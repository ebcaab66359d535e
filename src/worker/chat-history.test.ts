import { expect, it } from 'vitest';
import { callEvent } from '../call/call-event.ts';
import { newCallId } from '../call/call-id.ts';
import type { MemoryItem } from '../call/conversation-memory.ts';
import { chatHistory } from './chat-history.ts';

const call = newCallId();

function said(at: number, role: 'caller' | 'agent', text: string, interrupted = false): MemoryItem {
  return { kind: 'event', event: callEvent('turn', call, { role, text, interrupted }), at };
}
const tool = (at: number, id: string, name = 'book'): MemoryItem => ({
  kind: 'tool',
  id,
  name,
  args: '{"for":2}',
  at,
});
const result = (at: number, id: string): MemoryItem => ({
  kind: 'tool_result',
  id,
  name: 'book',
  output: 'booked',
  isError: false,
  at,
});

function told(items: MemoryItem[]) {
  return chatHistory(items).items.map((item) => {
    switch (item.type) {
      case 'message':
        return `${item.role}: ${item.textContent}${item.interrupted ? ' …' : ''}`;
      case 'function_call':
        return `${item.name}(${item.args})`;
      case 'function_call_output':
        return `${item.isError ? 'failed' : 'gave'}: ${item.output}`;
      case 'agent_handoff':
      case 'agent_config_update':
        return item.type;
    }
  });
}

it('is what was said and done, in the order in which it began', () => {
  expect(
    told([
      said(1, 'agent', 'Hello.'),
      said(2, 'caller', 'A table for two.'),
      tool(4, 'a'),
      // A message is known as a whole later than the tool that was called with it.
      said(3, 'agent', 'One moment', true),
      result(5, 'a'),
    ]),
  ).toEqual([
    'assistant: Hello.',
    'user: A table for two.',
    'assistant: One moment …',
    'book({"for":2})',
    'gave: booked',
  ]);
});

it('says of a tool that was running that its outcome is not known', () => {
  const [begun, outcome] = told([tool(1, 'a')]);
  expect(begun).toBe('book({"for":2})');
  expect(outcome).toMatch(/^failed: .*unknown.*not repeated/);
});

it('has no outcome without its tool, and nothing of hanging up', () => {
  expect(told([result(1, 'gone'), tool(2, 'b', 'end_call'), said(3, 'caller', 'Wait!')])).toEqual([
    'user: Wait!',
  ]);
});
