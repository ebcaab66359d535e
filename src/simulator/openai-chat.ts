import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ulid } from 'ulid';
import { z } from 'zod';
import { AMD_TOOL, classifyPickup } from './answering-machine.ts';
import { passFault, waitUnlessGone } from './faulty-answer.ts';
import { sendOpenAiError } from './openai-error.ts';
import type { ScriptMessage, ScriptReply } from './script.ts';
import type { VendorDeps } from './vendor-deps.ts';
import { prettifyIssues } from './vendor-request.ts';

const WORDS_AT_A_TIME = 3;

const content = z
  .union([
    z.string(),
    z
      .array(z.looseObject({ text: z.string().optional() }))
      .transform((parts) => parts.map((part) => part.text ?? '').join('')),
  ])
  .nullish()
  .transform((text) => text ?? '');

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer', 'user']), content }),
  z.looseObject({
    role: z.literal('assistant'),
    content,
    tool_calls: z
      .array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string() }) }))
      .optional(),
  }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string() }),
]);

const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(message),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).nullish(),
});

type ChatRequest = z.output<typeof chatRequest>;

/**
 * OpenAI's chat completions, answered from the script.
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export function mountChat(app: FastifyInstance, deps: VendorDeps): void {
  app.post('/v1/chat/completions', async (request, reply) => {
    const fault = deps.faults.take('llm');
    if (!(await passFault(fault, reply, (status) => sendOpenAiError(reply, status)))) return reply;
    const parsed = chatRequest.safeParse(request.body);
    if (!parsed.success) return sendOpenAiError(reply, 400, prettifyIssues(parsed.error));
    const chat = parsed.data;
    const answer: ScriptReply = fault.silent ? {} : answerOf(chat, deps);
    const thinking = (deps.pace.now.firstTokenMs ?? 0) + (answer.delayMs ?? 0);
    if (!(await waitUnlessGone(thinking, reply))) return reply;
    const completion = beginCompletion(chat);
    const told = () => deps.served.answered(tokensIn(chat, answer));
    deps.diary.note('llm_first_token', answer.text ?? '');
    if (!chat.stream) {
      told();
      return reply.send(wholeCompletion(completion, chat, answer));
    }
    const nextWordsMs = deps.pace.now.nextWordsMs ?? 0;
    const chunks = chunksOf(completion, chat, answer, { nextWordsMs, told });
    return stream(reply, chunks, fault.drop === true);
  });
}

function answerOf(chat: ChatRequest, deps: VendorDeps): ScriptReply {
  const messages = scriptMessages(chat);
  if (chat.tools?.some((tool) => tool.function.name === AMD_TOOL)) {
    const heard = messages
      .flatMap((entry) => (entry.role === 'user' ? [entry.text] : []))
      .join(' ');
    return { toolCall: { name: AMD_TOOL, arguments: { label: classifyPickup(heard) } } };
  }
  return deps.script.reply(messages);
}

function scriptMessages({ messages }: ChatRequest): ScriptMessage[] {
  const tools = new Map<string, string>();
  return messages.map((entry): ScriptMessage => {
    switch (entry.role) {
      case 'system':
      case 'developer':
        return { role: 'system', text: entry.content };
      case 'user':
        return { role: 'user', text: entry.content };
      case 'assistant':
        for (const call of entry.tool_calls ?? []) tools.set(call.id, call.function.name);
        return { role: 'assistant', text: entry.content };
      case 'tool':
        return { role: 'tool', name: tools.get(entry.tool_call_id) ?? '' };
    }
  });
}

type Completion = { id: string; created: number; model: string };

function beginCompletion({ model }: ChatRequest): Completion {
  return { id: `chatcmpl-${ulid()}`, created: Math.floor(Date.now() / 1000), model };
}

function wholeCompletion(completion: Completion, chat: ChatRequest, answer: ScriptReply): object {
  return {
    ...completion,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.text ?? null,
          ...(answer.toolCall ? { tool_calls: [toolCallOf(answer.toolCall)] } : {}),
        },
        finish_reason: answer.toolCall ? 'tool_calls' : 'stop',
      },
    ],
    usage: usageOf(chat, answer),
  };
}

function stream(reply: FastifyReply, chunks: AsyncIterable<object>, drop: boolean): FastifyReply {
  async function* events(): AsyncGenerator<string> {
    for await (const chunk of chunks) {
      yield `data: ${JSON.stringify(chunk)}\n\n`;
      // After the first words: the worst moment, for the sentence has begun.
      if (drop) {
        reply.raw.destroy();
        return;
      }
    }
    yield 'data: [DONE]\n\n';
  }
  return reply.type('text/event-stream; charset=utf-8').send(Readable.from(events()));
}

async function* chunksOf(
  completion: Completion,
  chat: ChatRequest,
  answer: ScriptReply,
  { nextWordsMs, told }: { nextWordsMs: number; told: () => void },
): AsyncGenerator<object> {
  const chunk = (delta: object, finish: string | null = null) => ({
    ...completion,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  let delta: Record<string, unknown> = { role: 'assistant', content: '' };
  for (const words of tokensOf(answer.text ?? '')) {
    yield chunk({ ...delta, content: words });
    delta = {};
    if (nextWordsMs > 0) await wait(nextWordsMs);
  }
  if (answer.toolCall) {
    const call = { index: 0, ...toolCallOf(answer.toolCall) };
    const { arguments: text } = call.function;
    // Name first, arguments after, in pieces: as OpenAI streams a call.
    yield chunk({
      ...delta,
      tool_calls: [{ ...call, function: { ...call.function, arguments: '' } }],
    });
    yield chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] });
    delta = {};
  }
  yield chunk(delta, answer.toolCall ? 'tool_calls' : 'stop');
  if (chat.stream_options?.include_usage) {
    yield {
      ...completion,
      object: 'chat.completion.chunk',
      choices: [],
      usage: usageOf(chat, answer),
    };
  }
  told();
}

function toolCallOf({ name, arguments: given }: NonNullable<ScriptReply['toolCall']>) {
  return {
    id: `call_${ulid()}`,
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(given) },
  };
}

/** A text in pieces of a few words; joined again they are the text. */
function tokensOf(text: string): string[] {
  const words = text.match(/\s*\S+/g) ?? [];
  return Array.from({ length: Math.ceil(words.length / WORDS_AT_A_TIME) }, (_, piece) =>
    words.slice(piece * WORDS_AT_A_TIME, (piece + 1) * WORDS_AT_A_TIME).join(''),
  );
}

/** Four characters a token, as a rule of thumb. */
function tokensIn({ messages }: ChatRequest, answer: ScriptReply) {
  const asked = messages.reduce((sum, entry) => sum + entry.content.length, 0);
  const given = (answer.text ?? '') + (answer.toolCall ? JSON.stringify(answer.toolCall) : '');
  return { inputTokens: Math.ceil(asked / 4), outputTokens: Math.ceil(given.length / 4) };
}

function usageOf(chat: ChatRequest, answer: ScriptReply) {
  const { inputTokens, outputTokens } = tokensIn(chat, answer);
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}
