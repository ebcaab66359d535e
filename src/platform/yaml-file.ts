import { isMap, isNode, isPair, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { closestName } from './closest-name.ts';
import { knownKeys } from './known-keys.ts';

/** One thing wrong with a YAML file, and where: line and column count from 1. */
export type FileProblem = {
  file: string;
  line: number;
  column: number;
  /** Keys and indexes from the top of the file, joined by dots; empty for the whole file. */
  path: string;
  message: string;
};

export type YamlResult<T> = { ok: true; value: T } | { ok: false; problems: FileProblem[] };

/**
 * Parses YAML 1.2 and checks it against a schema. All problems are returned at once, each with its place:
 * that of the value that is wrong, of the key that is unknown, or of the parent in which a key is missing.
 */
export function parseYamlFile<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
): YamlResult<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, path: readonly PropertyKey[], message: string): FileProblem => {
    const { line, col } = lines.linePos(offset);
    return {
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: path.join('.'),
      message,
    };
  };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    return { ok: false, problems: broken.map((error) => at(error.pos[0], [], error.message)) };
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch (thrown) {
    // An anchor that refers to itself, or aliases multiplied without end.
    return { ok: false, problems: [at(0, [], `cannot be read: ${String(thrown)}`)] };
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.flatMap(simplify).map(({ path, message, ofKey }) => {
    const hint = message === UNKNOWN_KEY ? suggestion(schema, path, content) : '';
    return at(offsetOf(document, path, ofKey), path, message + hint);
  });
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** A problem as editors and compilers write it: `trunks.yaml:3:5: trunks.0.name: must be …`. */
export function formatProblem({ file, line, column, path, message }: FileProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

const UNKNOWN_KEY = 'is not a known key';

/** The key that was probably meant, or all that there are. */
function suggestion(schema: z.ZodType, path: readonly PropertyKey[], content: unknown): string {
  const known = knownKeys(schema, path.slice(0, -1), content);
  const near = closestName(String(path.at(-1)), known);
  if (near !== undefined) return `; did you mean ${near}?`;
  return known.length > 0 ? `; known are ${known.join(', ')}` : '';
}

type Finding = { path: readonly PropertyKey[]; message: string; ofKey: boolean };

/** One finding per thing to mend, in words for somebody who does not know zod. */
function simplify(issue: z.core.$ZodIssue): Finding[] {
  const finding = (message: string, ofKey = false): Finding[] => [
    { path: issue.path, message, ofKey },
  ];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: UNKNOWN_KEY,
      ofKey: true,
    }));
  }
  if (issue.code === 'invalid_union') return simplifyUnion(issue) ?? finding(issue.message);
  if (issue.code === 'invalid_key') return finding(issue.issues[0]?.message ?? issue.message, true);
  if (issue.message.endsWith('received undefined')) return finding('is required');
  if (issue.message.endsWith('expected string, received number')) {
    return finding('must be text: put it in quotes');
  }
  return finding(issue.message);
}

/** Of a union, the alternative that the writer came nearest to, where one got further than the type. */
function simplifyUnion(issue: z.core.$ZodIssueInvalidUnion): Finding[] | undefined {
  const near = issue.errors
    .filter((errors) => errors.length > 0 && errors.every(({ path }) => path.length > 0))
    .toSorted((a, b) => a.length - b.length)[0];
  return near?.flatMap(simplify).map((finding) => ({
    ...finding,
    path: [...issue.path, ...finding.path],
  }));
}

/** Where in the text a path stands; for a path that is missing, its nearest parent. */
function offsetOf(document: Document, path: readonly PropertyKey[], ofKey: boolean): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    const resolved = isNode(node) && 'resolve' in node ? node.resolve(document) : node;
    if (isMap(resolved)) {
      const pair = resolved.items.find((item) => isPair(item) && keyOf(item.key) === String(step));
      if (!pair) return offset;
      const key = startOf(pair.key) ?? offset;
      offset = last && !ofKey ? (startOf(pair.value) ?? key) : key;
      node = pair.value;
    } else if (isSeq(resolved)) {
      node = resolved.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function keyOf(key: unknown): string {
  return String(isNode(key) ? key.toJSON() : key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
