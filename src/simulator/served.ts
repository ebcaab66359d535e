import type { FastifyInstance } from 'fastify';

/** What the vendors' stand-ins have served since the simulator began: what a vendor would bill. */
export class Served {
  readonly #total = {
    stt: { audioMs: 0 },
    llm: { answers: 0, inputTokens: 0, outputTokens: 0 },
    tts: { requests: 0, characters: 0, audioMs: 0 },
  };

  heard(audioMs: number): void {
    this.#total.stt.audioMs += audioMs;
  }

  /** An answer that was given to its end. */
  answered({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): void {
    this.#total.llm.answers += 1;
    this.#total.llm.inputTokens += inputTokens;
    this.#total.llm.outputTokens += outputTokens;
  }

  spoke(characters: number, audioMs: number): void {
    this.#total.tts.requests += 1;
    this.#total.tts.characters += characters;
    this.#total.tts.audioMs += audioMs;
  }

  get total(): object {
    return structuredClone(this.#total);
  }
}

/** `GET /simulator/served`. */
export function mountServed(app: FastifyInstance, served: Served): void {
  app.get('/simulator/served', () => served.total);
}
