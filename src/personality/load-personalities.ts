import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FileProblem } from '../platform/yaml-file.ts';
import { loadPersonality } from './load-personality.ts';
import { loadPrompts, unreadable } from './load-prompts.ts';
import type { Personality } from './personality.ts';
import type { Credentials } from './providers/component-options.ts';

/** Where the files lie; the folders as problems shall show them, relative to the root or absolute. */
export type PersonalityFolders = { root: string; agents: string; prompts: string };

export type LoadedPersonalities = {
  personalities: ReadonlyMap<string, Personality>;
  /** Keys of all files, those with problems included. */
  keys: ReadonlySet<string>;
  /** Every problem of every file. */
  problems: FileProblem[];
  /** Those that run on the simulator because there is no vendor's key. */
  fellBack: string[];
};

const FILE = /^(?<key>[a-z0-9][a-z0-9_-]*)\.ya?ml$/;

/** Reads all personalities and prompts, once. Never throws for what its files say. */
export async function loadPersonalities(
  folders: PersonalityFolders,
  credentials: Credentials,
): Promise<LoadedPersonalities> {
  const { prompts, problems: promptProblems } = await loadPrompts(folders.root, folders.prompts);
  const problems = [...promptProblems];
  const personalities = new Map<string, Personality>();
  const keys = new Set<string>();
  const fellBack: string[] = [];
  const names = await readdir(path.resolve(folders.root, folders.agents)).catch(() => {
    problems.push(unreadable(folders.agents));
    return [];
  });
  for (const name of names.toSorted((a, b) => a.localeCompare(b))) {
    if (!/\.ya?ml$/.test(name)) continue;
    const file = path.join(folders.agents, name);
    const key = FILE.exec(name)?.groups?.['key'];
    if (key === undefined || keys.has(key)) {
      const message =
        key === undefined
          ? 'the name of a personality has only a-z, 0-9, _ and -'
          : 'there is a personality of this name already, with the other ending';
      problems.push({ file, line: 1, column: 1, path: '', message });
      continue;
    }
    keys.add(key);
    const source = await readFile(path.resolve(folders.root, file), 'utf8').catch(() => undefined);
    if (source === undefined) {
      problems.push(unreadable(file));
      continue;
    }
    const loaded = loadPersonality(key, source, file, { prompts, credentials });
    if (!loaded.ok) {
      problems.push(...loaded.problems);
      continue;
    }
    personalities.set(key, loaded.personality);
    if (loaded.fellBack) fellBack.push(key);
  }
  return { personalities, keys, problems, fellBack };
}
