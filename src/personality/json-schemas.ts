import { z } from 'zod';
import { personalitySchema } from './personality-schema.ts';
import { promptIndexSchema } from './prompt-index.ts';

/** JSON Schema (draft 2020-12) of what people write in `agents/*.yaml`, for their editors. */
export function personalityJsonSchema(): string {
  return text(personalitySchema(), 'A personality of Trunkline');
}

/** JSON Schema of `prompts/prompts.yaml`. */
export function promptIndexJsonSchema(): string {
  return text(promptIndexSchema, 'The prompts of Trunkline');
}

function text(schema: z.ZodType, title: string): string {
  return `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`;
}
