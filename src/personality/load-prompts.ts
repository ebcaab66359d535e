import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseYamlFile, type FileProblem } from '../platform/yaml-file.ts';
import { callVariableNames } from './call-variables.ts';
import type { Prompt } from './personality.ts';
import { promptIndexSchema, type PromptIndex } from './prompt-index.ts';
import { checkTemplate } from './template.ts';

export type LoadedPrompts = {
  /** Per key of prompts.yaml its prompt, or undefined where that has problems; no map without an index. */
  prompts: ReadonlyMap<string, Prompt | undefined> | undefined;
  problems: FileProblem[];
};

/** Reads prompts.yaml and every text that it names. `folder` as problems shall show it, below `root`. */
export async function loadPrompts(root: string, folder: string): Promise<LoadedPrompts> {
  const file = path.join(folder, 'prompts.yaml');
  let source: string;
  try {
    source = await readFile(path.resolve(root, file), 'utf8');
  } catch {
    return { prompts: undefined, problems: [unreadable(file)] };
  }
  const index = parseYamlFile(source, file, promptIndexSchema);
  if (!index.ok) return { prompts: undefined, problems: index.problems };
  const prompts = new Map<string, Prompt | undefined>();
  const problems: FileProblem[] = [];
  for (const [key, entry] of Object.entries(index.value)) {
    const textFile = path.join(folder, entry.file);
    const text = await readFile(path.resolve(root, textFile), 'utf8').catch(() => undefined);
    const found = text === undefined ? [missing(source, file, key)] : check(text, textFile, entry);
    problems.push(...found);
    const usable = text !== undefined && found.length === 0;
    prompts.set(key, usable ? { key, text, parameters: entry.parameters } : undefined);
  }
  return { prompts, problems };
}

/** A file that is not there or may not be read. */
export function unreadable(file: string): FileProblem {
  return { file, line: 1, column: 1, path: '', message: 'cannot be read' };
}

function check(text: string, file: string, entry: PromptIndex[string]): FileProblem[] {
  const { problems, variables } = checkTemplate(text);
  const known: readonly string[] = [...Object.keys(entry.parameters), ...callVariableNames];
  const unknown = variables
    .filter(({ name }) => !known.includes(name))
    .map(({ name, line, column }) => ({
      line,
      column,
      message: `${name} is no parameter of this prompt; declare it in prompts.yaml (known: ${known.join(', ')})`,
    }));
  const empty = text.trim() === '' ? [{ line: 1, column: 1, message: 'the prompt is empty' }] : [];
  return [...problems, ...unknown, ...empty].map((problem) => ({ file, path: '', ...problem }));
}

/** The place of a `file:` whose file does not exist. */
function missing(source: string, file: string, key: string): FileProblem {
  const absent = promptIndexSchema.superRefine((_, issues) => {
    issues.addIssue({ code: 'custom', path: [key, 'file'], message: 'no such file' });
  });
  const result = parseYamlFile(source, file, absent);
  return result.ok ? unreadable(file) : (result.problems[0] ?? unreadable(file));
}
