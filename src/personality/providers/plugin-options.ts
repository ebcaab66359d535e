type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** Options with their keys as the framework's plugins write them. */
export type PluginOptions<T> = { [K in keyof T as Camel<K & string>]: Exclude<T[K], undefined> };

/** `smart_format` → `smartFormat`. What is undefined is left out: it would overwrite a plugin's default. */
export function pluginOptions<T extends object>(options: T): Partial<PluginOptions<T>> {
  const entries = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]);
  return Object.fromEntries(entries) as Partial<PluginOptions<T>>;
}
