import { z } from 'zod';

const value = z.union([z.string(), z.number(), z.boolean()]);

const parameter = z
  .strictObject({
    description: z.string().optional().describe('what the value is, for whoever gives it'),
    default: value.optional().describe('the value where none is given'),
    required: z.boolean().default(false).describe('a call without this value is refused'),
  })
  .refine((given) => !(given.required && given.default !== undefined), {
    message: 'is required and has a default; give one of the two',
    path: ['default'],
  });

/** `prompts/prompts.yaml`: prompt key → file and parameters. */
export const promptIndexSchema = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'a prompt key has only a-z, 0-9, _ and -'),
  z.strictObject({
    file: z
      .string()
      .regex(/^(?!.*\.\.)[\w-][\w./-]*\.md$/, 'must be a Markdown file (.md) in the same folder')
      .describe('Markdown file with the text, in the folder of prompts.yaml'),
    description: z.string().optional(),
    parameters: z
      .record(
        z.string().regex(/^[a-z_][a-z0-9_]*$/, 'a parameter has only a-z, 0-9 and _'),
        z.union([value.transform((given) => ({ default: given, required: false })), parameter]),
      )
      .default({})
      .describe('values that the text uses: a default, or {description, default, required}'),
  }),
);

export type PromptIndex = z.output<typeof promptIndexSchema>;
export type PromptParameters = Readonly<
  Record<
    string,
    {
      description?: string | undefined;
      default?: string | number | boolean | undefined;
      required: boolean;
    }
  >
>;
