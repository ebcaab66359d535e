import type { llm } from '@livekit/agents';
import { LLM } from '@livekit/agents-plugin-openai';
import { AzureOpenAI } from 'openai';
import { credential, type BuildContext } from '../build-context.ts';
import type { LlmOptions } from '../component-options.ts';
import { pluginOptions } from '../plugin-options.ts';

/**
 * The client is made here, not by the plugin's `LLM.withAzure`: that hands the endpoint and the deployment
 * on under names which the client does not know, and drops most options.
 */
export function buildLlm(
  options: Extract<LlmOptions, { provider: 'azure_openai' }>,
  { config }: BuildContext,
): llm.LLM {
  const { provider: _, endpoint, deployment, api_version: apiVersion, ...rest } = options;
  const resource = endpoint ?? credential(config, 'AZURE_OPENAI_ENDPOINT');
  const client = new AzureOpenAI({
    apiKey: credential(config, 'AZURE_OPENAI_API_KEY'),
    // Given as the base URL: the client would else take OPENAI_BASE_URL, and refuse to have both.
    baseURL: `${resource.replace(/\/+$/, '')}/openai`,
    deployment: deployment ?? credential(config, 'AZURE_OPENAI_DEPLOYMENT_NAME'),
    apiVersion,
    // The framework retries by itself.
    maxRetries: 0,
  });
  return new LLM({ ...pluginOptions(rest), client });
}
