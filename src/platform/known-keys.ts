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
    at instanceof z.core.$ZodObject ? Object.keys(at._zod.def.shape) : [],
  );
  return [...new Set(keys)];
}

function inside({ schema, input }: Place, step: PropertyKey): Place[] {
  const at = (next: z.core.$ZodType | undefined): Place[] =>
    next ? [{ schema: next, input: valueAt(input, step) }] : [];
  if (schema instanceof z.core.$ZodObject) return at(schema._zod.def.shape[String(step)]);
  if (schema instanceof z.core.$ZodRecord) return at(schema._zod.def.valueType);
  if (schema instanceof z.core.$ZodArray) return at(schema._zod.def.element);
  return [];
}

/** A schema without what is wrapped around it, a union as its members. */
function alternatives({ schema, input }: Place): Place[] {
  const unwrap = (inner: z.core.$ZodType) => alternatives({ schema: inner, input });
  if (schema instanceof z.core.$ZodDiscriminatedUnion) {
    const { options, discriminator } = schema._zod.def;
    const given = valueAt(input, discriminator);
    const meant = options.filter((option) =>
      option._zod.propValues?.[discriminator]?.has(given as z.core.util.Primitive),
    );
    return (meant.length > 0 ? meant : options).flatMap(unwrap);
  }
  if (schema instanceof z.core.$ZodUnion) return schema._zod.def.options.flatMap(unwrap);
  if (schema instanceof z.core.$ZodPipe) return unwrap(schema._zod.def.in);
  if (
    schema instanceof z.core.$ZodOptional ||
    schema instanceof z.core.$ZodNullable ||
    schema instanceof z.core.$ZodDefault ||
    schema instanceof z.core.$ZodPrefault ||
    schema instanceof z.core.$ZodReadonly
  ) {
    return unwrap(schema._zod.def.innerType);
  }
  return [{ schema, input }];
}

function valueAt(input: unknown, step: PropertyKey): unknown {
  return typeof input === 'object' && input !== null ? Reflect.get(input, step) : undefined;
}
