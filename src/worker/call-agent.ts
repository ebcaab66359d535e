import { ReadableStream, TransformStream } from 'node:stream/web';
import { voice, type llm, type tts } from '@livekit/agents';
import type { MemoryWriter } from '../call/memory-writer.ts';
import { endCallTool } from './end-call-tool.ts';
import { rememberedTools } from './remembered-tools.ts';
import { TTS_CONNECTION } from './session-options.ts';
import { speakByClauses } from './speaking/speak-by-clauses.ts';

type CallAgentMemory = Pick<MemoryWriter, 'says' | 'saysNoMore' | 'toolBegins'>;

/** The agent of one call: its instructions, its tools, and what it does with the first words it hears. */
export class CallAgent extends voice.Agent {
  readonly #onFirstWords: (message: llm.ChatMessage) => boolean;
  readonly #onWords: (soFar: string) => void;
  readonly #memory: CallAgentMemory;
  readonly #voice: tts.TTS;

  /**
   * @param options.onFirstWords whether a turn of the far end is dealt with, so that no reply is made.
   * @param options.history what was said and done before this agent came
   * @param options.onWords told what the agent says, while it becomes known; must not throw.
   */
  constructor(options: {
    instructions: string;
    history: llm.ChatContext | undefined;
    memory: CallAgentMemory;
    voice: tts.TTS;
    hangUp: () => void;
    onFirstWords: (message: llm.ChatMessage) => boolean;
    onWords: (soFar: string) => void;
  }) {
    const { instructions, history, memory, hangUp } = options;
    super({
      instructions,
      tools: rememberedTools([endCallTool(hangUp)], memory),
      ...(history ? { chatCtx: history } : {}),
    });
    this.#memory = memory;
    this.#onFirstWords = options.onFirstWords;
    this.#onWords = options.onWords;
    this.#voice = options.voice;
  }

  override async onUserTurnCompleted(
    _context: llm.ChatContext,
    message: llm.ChatMessage,
  ): Promise<void> {
    if (this.#onFirstWords(message)) throw new voice.StopResponse();
    await Promise.resolve();
  }

  override async ttsNode(
    ...[text, settings]: Parameters<voice.Agent['ttsNode']>
  ): ReturnType<voice.Agent['ttsNode']> {
    const written = text instanceof ReadableStream ? text : ReadableStream.from(text);
    if (this.#voice.capabilities.streaming) return super.ttsNode(written, settings);
    return speakByClauses(this.#voice, written, TTS_CONNECTION);
  }

  override async transcriptionNode(
    ...[text, settings]: Parameters<voice.Agent['transcriptionNode']>
  ): ReturnType<voice.Agent['transcriptionNode']> {
    const words = await super.transcriptionNode(text, settings);
    let soFar = '';
    type Part = NonNullable<typeof words> extends ReadableStream<infer P> ? P : never;
    const tap = new TransformStream<Part, Part>({
      transform: (part, controller) => {
        soFar += typeof part === 'string' ? part : part.text;
        this.#onWords(soFar);
        this.#memory.says(soFar);
        controller.enqueue(part);
      },
      flush: () => this.#memory.saysNoMore(),
    });
    return words?.pipeThrough(tap) ?? null;
  }
}
