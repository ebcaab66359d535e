import { ApiProblem } from './problem.ts';

/** What the api needs to know of a personality. */
export type KnownPersonality = { readonly key: string; readonly simulated: boolean };

export type KnownPersonalities = {
  get(key: string): KnownPersonality | undefined;
  list(): readonly KnownPersonality[];
};

/** The personality of a request. @throws ApiProblem with the list of those that there are */
export function findPersonality(personalities: KnownPersonalities, key: string): KnownPersonality {
  const found = personalities.get(key);
  if (found) return found;
  const keys = personalities.list().map((personality) => personality.key);
  throw new ApiProblem('unknown-personality', `There are: ${keys.join(', ') || 'none'}.`, {
    errors: [{ field: 'personality', reason: 'there is no personality of this name' }],
    personalities: keys,
  });
}
