import { z } from 'zod';
import { baseUrl, keyVariable } from '../common-options.ts';

/** OpenAI, and every server that speaks its protocol (`base_url`). https://platform.openai.com/docs/api-reference */
const server = {
  provider: z.literal('openai'),
  base_url: baseUrl.describe('a compatible server; absent: OPENAI_BASE_URL, else OpenAI'),
  api_key_variable: keyVariable.describe('variable with the key; absent: OPENAI_API_KEY'),
};

export const openaiStt = z.strictObject({
  ...server,
  model: z.string().optional(),
  language: z.string().optional().describe("absent: the personality's"),
  detect_language: z.boolean().optional(),
  prompt: z.string().optional().describe('words and style to expect'),
  keywords: z.array(z.string()).optional().describe('names and terms to expect'),
  use_realtime: z
    .boolean()
    .optional()
    .describe('stream over a WebSocket; absent: true at OpenAI, false at a compatible server'),
  noise_reduction_type: z.enum(['near_field', 'far_field']).optional(),
  temperature: z.number().min(0).max(1).optional(),
});

export const openaiLlm = z.strictObject({
  ...server,
  model: z.string().default('gpt-4.1-mini'),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_completion_tokens: z.number().int().min(1).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high']).optional(),
  parallel_tool_calls: z.boolean().optional(),
  service_tier: z.string().optional(),
  user: z.string().optional(),
  store: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  strict_tool_schema: z.boolean().optional(),
});

export const openaiTts = z.strictObject({
  ...server,
  model: z.string().default('gpt-4o-mini-tts'),
  voice: z.string().default('alloy'),
  speed: z.number().min(0.25).max(4).optional(),
  instructions: z.string().optional().describe('how to speak, for models that take it'),
});

/** Variables that must be set; a compatible server may do without a key. */
export function openaiVariables(
  options: { base_url?: string | undefined; api_key_variable?: string | undefined },
  has: (variable: string) => boolean,
): string[] {
  if (options.api_key_variable !== undefined) return [options.api_key_variable];
  const compatible = options.base_url !== undefined || has('OPENAI_BASE_URL');
  return compatible ? [] : ['OPENAI_API_KEY'];
}
