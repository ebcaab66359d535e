import { z } from 'zod';
import { asError, OperatorError } from '../platform/errors.ts';

export type SimulatorAddress = { url: string; apiKey: string | undefined };

/** What the simulator tells of a conversation, one line each. */
const eventSchema = z.union([
  z.object({ type: z.literal('recording'), call: z.string(), wavBase64: z.string() }),
  z.object({
    type: z.literal('report'),
    text: z.string(),
    report: z.looseObject({
      name: z.string(),
      passed: z.boolean(),
      calls: z.array(
        z.looseObject({
          measures: z.array(z.object({ name: z.string(), ms: z.number() })),
          hesitations: z.number().optional(),
          cutIns: z.number().optional(),
        }),
      ),
    }),
  }),
  z
    .object({ type: z.string(), call: z.string(), text: z.string() })
    .transform(({ call, text }) => ({ type: 'progress' as const, call, text })),
]);

export type SimulatorEvent = z.output<typeof eventSchema>;

/** How a conversation went, as far as a client looks into it. */
export type ConversationOutcome = Extract<SimulatorEvent, { type: 'report' }>['report'];

const refusal = z.object({ problems: z.array(z.string()) });

/**
 * Lets the simulator hold a conversation; yields what happens while it happens, the report last.
 *
 * @throws {OperatorError} when the simulator is not there, or the conversation is malformed.
 */
export async function* conversationEvents(
  simulator: SimulatorAddress,
  conversation: { file: string; source: string; record: boolean; patience: string },
): AsyncGenerator<SimulatorEvent> {
  const query = new URLSearchParams({
    file: conversation.file,
    record: String(conversation.record),
    patience: conversation.patience,
  });
  const url = new URL(`/simulator/conversations?${query.toString()}`, simulator.url);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/yaml',
        ...(simulator.apiKey === undefined ? {} : { 'x-api-key': simulator.apiKey }),
      },
      body: conversation.source,
    });
  } catch (thrown) {
    throw new OperatorError('The simulator does not answer.', {
      remedy: 'Start it with `trunkline up`, or name it with --url.',
      cause: asError(thrown),
    });
  }
  if (!response.ok || !response.body) {
    const said = refusal.safeParse(await response.json().catch(() => undefined));
    throw new OperatorError(
      said.success
        ? said.data.problems.join('\n')
        : `The simulator refused: HTTP ${response.status}.`,
      { remedy: 'docs/simulator.md describes what a conversation may hold.' },
    );
  }
  for await (const line of linesOf(response.body)) yield eventSchema.parse(JSON.parse(line));
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
