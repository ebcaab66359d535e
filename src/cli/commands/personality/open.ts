import { loadConfig, type Config } from '../../../platform/config.ts';
import { OperatorError } from '../../../platform/errors.ts';
import { formatProblem } from '../../../platform/yaml-file.ts';
import { closestName } from '../../../platform/closest-name.ts';
import {
  loadPersonalities,
  type LoadedPersonalities,
} from '../../../personality/load-personalities.ts';
import type { Personality } from '../../../personality/personality.ts';

/** Values for what no command of personalities needs, so that they work before there is an `.env`. */
const fallbacks = {
  LIVEKIT_API_KEY: 'unused',
  LIVEKIT_API_SECRET: 'unused-by-this-command-of-trunkline',
  API_KEY: 'unused-by-this-command',
};

export function openConfig(): Config {
  return loadConfig({ fallbacks });
}

/** The configuration and all personalities, as they are on disk now. */
export async function openFiles(): Promise<{ config: Config; loaded: LoadedPersonalities }> {
  const config = openConfig();
  const folders = { root: config.root, agents: config.AGENTS_DIR, prompts: config.PROMPTS_DIR };
  return { config, loaded: await loadPersonalities(folders, config.credentials) };
}

/** @throws {OperatorError} with its problems, or the names that there are. */
export function find(loaded: LoadedPersonalities, key: string): Personality {
  const personality = loaded.personalities.get(key);
  if (personality) return personality;
  if (loaded.keys.has(key)) {
    const problems = loaded.problems.map((problem) => `  ${formatProblem(problem)}`).join('\n');
    throw new OperatorError(`The personality ${key} has problems:\n${problems}`);
  }
  const near = closestName(key, loaded.keys);
  throw new OperatorError(`There is no personality ${key}.`, {
    remedy:
      near === undefined ? `There are: ${[...loaded.keys].join(', ')}.` : `Did you mean ${near}?`,
  });
}
