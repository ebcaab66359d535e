import { z } from 'zod';

/** What a stand-in does wrong. Several may hold at once. */
const faultSchema = z.strictObject({
  /** Answers so much later, ms. */
  delayMs: z.number().int().min(0).max(600_000).optional(),
  /** Answers with this HTTP status, in the vendor's own error shape. */
  status: z.number().int().min(400).max(599).optional(),
  /** Answers properly, but without a sound (TTS) or a word (STT, LLM). */
  silent: z.boolean().optional(),
  /** Accepts the request and never answers. */
  hang: z.boolean().optional(),
  /** Breaks the connection off in the middle of the answer. */
  drop: z.boolean().optional(),
  /** Mends itself after so many requests. */
  times: z.number().int().min(1).optional(),
});

export const faultsSchema = z.strictObject({
  stt: faultSchema.optional(),
  llm: faultSchema.optional(),
  tts: faultSchema.optional(),
});

export type Fault = z.output<typeof faultSchema>;
export type VendorFaults = z.output<typeof faultsSchema>;
export type VendorKind = keyof VendorFaults;

type ActiveFaults = { faults: VendorFaults; taken: Record<VendorKind, number> };

/** The faults of the vendors' stand-ins, as tests set them. */
export class Faults {
  #active: ActiveFaults[] = [];

  /** Sets faults beside those that hold already; returns what mends them. */
  add(faults: VendorFaults): () => void {
    const active = { faults, taken: { stt: 0, llm: 0, tts: 0 } };
    this.#active.push(active);
    return () => {
      this.#active = this.#active.filter((other) => other !== active);
    };
  }

  /** Mends all faults and sets these. */
  replace(faults: VendorFaults): void {
    this.#active = [];
    this.add(faults);
  }

  /** What is wrong with a vendor now. */
  of(kind: VendorKind): Fault {
    const faults = this.#active.flatMap(({ faults: all, taken }) => {
      const fault = all[kind];
      return fault && taken[kind] < (fault.times ?? Infinity) ? [fault] : [];
    });
    return Object.assign({}, ...faults) as Fault;
  }

  /** What is wrong for a new request, which counts. */
  take(kind: VendorKind): Fault {
    const fault = this.of(kind);
    for (const { taken } of this.#active) taken[kind] += 1;
    return fault;
  }
}
