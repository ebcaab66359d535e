import { z } from 'zod';
import { baseUrl } from '../common-options.ts';
import { duration } from '../../duration.ts';

/** Azure speech, through Microsoft's SDK. https://learn.microsoft.com/azure/ai-services/speech-service */
const resource = {
  provider: z.literal('azure'),
  region: z
    .string()
    .regex(/^[a-z0-9]+$/, 'must be a region such as westeurope')
    .optional()
    .describe('absent: AZURE_SPEECH_REGION'),
  base_url: baseUrl.describe("a container's address (ws:// or wss://); absent: the region's"),
  language: z.string().optional().describe("absent: the personality's"),
};

export const azureStt = z.strictObject({
  ...resource,
  phrases: z.array(z.string()).optional().describe('names and terms to expect'),
  segmentation_silence: duration('100ms', '5s')
    .optional()
    .describe('silence that ends a phrase; absent: 300ms'),
  profanity: z.enum(['masked', 'removed', 'raw']).optional(),
  model_id: z.string().optional().describe('endpoint id of a custom model'),
});

export const azureTts = z
  .strictObject({
    ...resource,
    voice: z.string().optional().describe("absent: Azure's standard voice of the language"),
    speed: z.number().min(0.5).max(2).optional().describe('1 is as the voice speaks by itself'),
    pitch: z
      .string()
      .regex(/^[+-]\d{1,3}(%|Hz|st)$/, 'must be a change such as +5% or -2st')
      .optional(),
    style: z.string().optional().describe('a style that the voice has, for example cheerful'),
  })
  .refine(({ voice, speed, pitch, style }) => voice !== undefined || !(speed ?? pitch ?? style), {
    path: ['voice'],
    message: 'is needed for speed, pitch and style',
  });

export function azureVariables(options: {
  region?: string | undefined;
  base_url?: string | undefined;
}): string[] {
  const placed = options.region !== undefined || options.base_url !== undefined;
  return ['AZURE_SPEECH_KEY', ...(placed ? [] : ['AZURE_SPEECH_REGION'])];
}
