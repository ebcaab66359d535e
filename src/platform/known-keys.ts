import { z } from 'zod';

/** A schema, and the input that it is to check. */
type Place = { schema: z.core.$ZodType; input: unknown };

/**
 * Every key that a schema knows at a path of its input; empty where it takes any. The input decides which
 * member of a discriminated union is meant.
 */
export function knownKeys(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
  input: unknown,
): string[] {
  let places = alternatives({ schema, input });
  for (const step of path) {
    places = places.flatMap((place) => inside(place, step)).flatMap(alternatives);
  }
  const keys = places.flatMap(({ schema: at }) =>
    at instanceof z.ZodObject ? Object.keys(at.shape) : [],
  );
  return [...new Set(keys)];
}

function inside({ schema, input }: Place, step: PropertyKey): Place[] {
  const at = (next: z.core.$ZodType | undefined): Place[] =>
    next ? [{ schema: next, input: valueAt(input, step) }] : [];
  if (schema instanceof z.ZodObject) return at(schema.shape[String(step)]);
  if (schema instanceof z.ZodRecord) return at(schema.valueType);
  if (schema instanceof z.ZodArray) return at(schema.element);
  return [];
}

/** A schema without what is wrapped around it, a union as its members. */
function alternatives({ schema, input }: Place): Place[] {
  const unwrap = (inner: z.core.$ZodType) => alternatives({ schema: inner, input });
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const { options, def } = schema;
    const given = valueAt(input, def.discriminator);
    const meant = options.filter((option) => names(option, def.discriminator, given));
    return (meant.length > 0 ? meant : options).flatMap(unwrap);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrap);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap());
  }
  return [{ schema, input }];
}

/** Whether a member of a union is the one that the value of its discriminator names. */
function names(option: z.core.$ZodType, discriminator: string, given: unknown): boolean {
  const key = option instanceof z.ZodObject ? option.shape[discriminator] : undefined;
  return key instanceof z.ZodLiteral && key.safeParse(given).success;
}

function valueAt(input: unknown, step: PropertyKey): unknown {
  return typeof input === 'object' && input !== null ? Reflect.get(input, step) : undefined;
}
