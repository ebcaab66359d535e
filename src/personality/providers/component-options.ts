import { z } from 'zod';
import { closestName } from '../../platform/closest-name.ts';
import { azureOpenaiLlm, azureOpenaiVariables } from './azure-openai/options.ts';
import { azureStt, azureTts, azureVariables } from './azure/options.ts';
import { deepgramStt, deepgramTts, deepgramVariables } from './deepgram/options.ts';
import { openaiLlm, openaiStt, openaiTts, openaiVariables } from './openai/options.ts';
import { simulatorLlm, simulatorStt, simulatorTts } from './simulator/options.ts';
import { bundledVad, sileroVad } from './vad/options.ts';

/** Every provider of a component, with its options. A provider is added here and in `create-speech-components.ts`. */
export const sttOptions = z.discriminatedUnion(
  'provider',
  [openaiStt, deepgramStt, azureStt, simulatorStt],
  { error: whichProvider },
);
export const llmOptions = z.discriminatedUnion(
  'provider',
  [openaiLlm, azureOpenaiLlm, simulatorLlm],
  { error: whichProvider },
);
export const ttsOptions = z.discriminatedUnion(
  'provider',
  [openaiTts, deepgramTts, azureTts, simulatorTts],
  { error: whichProvider },
);
export const vadOptions = z.discriminatedUnion('provider', [sileroVad, bundledVad], {
  error: whichProvider,
});

/** Says which providers there are, where none or another is named. */
function whichProvider(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const given: unknown = Reflect.get(Object(issue.input), 'provider');
  const names = Array.isArray(issue.options) ? issue.options.map(String) : [];
  const near = typeof given === 'string' ? closestName(given, names) : undefined;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `must be one of ${names.join(', ')}${hint}`;
}

export type SttOptions = z.output<typeof sttOptions>;
export type LlmOptions = z.output<typeof llmOptions>;
export type TtsOptions = z.output<typeof ttsOptions>;
export type VadOptions = z.output<typeof vadOptions>;

/** What has a vendor, and so may need a key. */
export type VendorOptions = SttOptions | LlmOptions | TtsOptions;

/** Any of these in the configuration means that real vendors are to be used. */
const VENDOR_VARIABLES = [
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'DEEPGRAM_API_KEY',
  'AZURE_SPEECH_KEY',
  'AZURE_OPENAI_API_KEY',
] as const;

export type Credentials = Readonly<Record<string, string>>;

/** Whether the configuration names any vendor at all. */
export function hasVendors(credentials: Credentials): boolean {
  return VENDOR_VARIABLES.some((name) => credentials[name] !== undefined);
}

/** Variables that a component needs and the configuration does not set. */
export function missingVariables(options: VendorOptions, credentials: Credentials): string[] {
  const has = (name: string) => credentials[name] !== undefined;
  return neededVariables(options, has).filter((name) => !has(name));
}

function neededVariables(options: VendorOptions, has: (name: string) => boolean): string[] {
  switch (options.provider) {
    case 'openai':
      return openaiVariables(options, has);
    case 'azure_openai':
      return azureOpenaiVariables(options);
    case 'deepgram':
      return deepgramVariables();
    case 'azure':
      return azureVariables(options);
    case 'simulator':
      return [];
  }
}
