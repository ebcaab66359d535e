import { voice, type llm } from '@livekit/agents';
import { endCallTool } from './end-call-tool.ts';

/** The agent of one call: its instructions, its tools, and what it does with the first words it hears. */
export class CallAgent extends voice.Agent {
  readonly #onFirstWords: (message: llm.ChatMessage) => boolean;

  /** @param options.onFirstWords whether a turn of the far end is dealt with, so that no reply is made. */
  constructor(options: {
    instructions: string;
    hangUp: () => void;
    onFirstWords: (message: llm.ChatMessage) => boolean;
  }) {
    super({ instructions: options.instructions, tools: [endCallTool(options.hangUp)] });
    this.#onFirstWords = options.onFirstWords;
  }

  override async onUserTurnCompleted(
    _context: llm.ChatContext,
    message: llm.ChatMessage,
  ): Promise<void> {
    if (this.#onFirstWords(message)) throw new voice.StopResponse();
    await Promise.resolve();
  }
}
