import { z } from 'zod';
import { baseUrl } from '../common-options.ts';

/** Azure OpenAI. https://learn.microsoft.com/azure/ai-foundry/openai/reference */
export const azureOpenaiLlm = z.strictObject({
  provider: z.literal('azure_openai'),
  endpoint: baseUrl.describe('absent: AZURE_OPENAI_ENDPOINT'),
  deployment: z.string().optional().describe('absent: AZURE_OPENAI_DEPLOYMENT_NAME'),
  api_version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'must be a date such as 2024-10-21')
    .default('2024-10-21'),
  model: z
    .string()
    .default('gpt-4.1-mini')
    .describe(
      'the model behind the deployment: decides which options it takes, the deployment what runs',
    ),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_completion_tokens: z.number().int().min(1).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high']).optional(),
  parallel_tool_calls: z.boolean().optional(),
  user: z.string().optional(),
  strict_tool_schema: z.boolean().optional(),
});

export function azureOpenaiVariables(options: z.output<typeof azureOpenaiLlm>): string[] {
  return [
    'AZURE_OPENAI_API_KEY',
    ...(options.endpoint === undefined ? ['AZURE_OPENAI_ENDPOINT'] : []),
    ...(options.deployment === undefined ? ['AZURE_OPENAI_DEPLOYMENT_NAME'] : []),
  ];
}
