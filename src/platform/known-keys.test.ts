import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { knownKeys } from './known-keys.ts';

const schema = z.strictObject({
  engine: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a'), gear: z.number() }).refine(() => true),
      z.strictObject({ kind: z.literal('b'), sail: z.number() }),
    ])
    .optional(),
  byName: z.record(z.string(), z.strictObject({ colour: z.string() })).default({}),
});

describe('knownKeys', () => {
  it('finds the keys of the top, of records and of what is optional', () => {
    expect(knownKeys(schema, [], {})).toEqual(['engine', 'byName']);
    expect(knownKeys(schema, ['byName', 'x'], {})).toEqual(['colour']);
    expect(knownKeys(schema, ['engine'], {})).toEqual(['kind', 'gear', 'sail']);
  });

  it('keeps to the member of a discriminated union that the input names', () => {
    expect(knownKeys(schema, ['engine'], { engine: { kind: 'b' } })).toEqual(['kind', 'sail']);
  });

  it('knows nothing of what takes any key', () => {
    expect(knownKeys(z.record(z.string(), z.string()), [], {})).toEqual([]);
  });
});
