import { z } from 'zod';

/** The stand-ins of Trunkline's own simulator: no key, no cost, and only calls that leave no machine. */
const provider = z.literal('simulator');

export const simulatorStt = z.strictObject({ provider, language: z.string().optional() });
export const simulatorLlm = z.strictObject({ provider, model: z.string().default('simulator') });
export const simulatorTts = z.strictObject({
  provider,
  voice: z.string().optional().describe('absent: sim-agent-de or sim-agent-en, by the language'),
  speed: z.number().min(0.25).max(4).optional(),
});
