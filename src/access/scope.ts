/**
 * What a key may do: `read` looks, `call` also places and ends calls, `manage` also changes webhooks, keys
 * and data. Each scope includes those before it.
 */
export const scopes = ['read', 'call', 'manage'] as const;
export type Scope = (typeof scopes)[number];

/** Whether somebody with these scopes may do what needs this one. */
export function permits(held: readonly Scope[], needed: Scope): boolean {
  return held.some((scope) => scopes.indexOf(scope) >= scopes.indexOf(needed));
}
