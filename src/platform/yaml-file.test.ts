import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatProblem, parseYamlFile } from './yaml-file.ts';

const schema = z.strictObject({
  name: z.string(),
  limits: z.strictObject({ calls: z.number().max(10) }).optional(),
  list: z.array(z.strictObject({ number: z.string() })).default([]),
});

function problemsOf(text: string): string[] {
  const result = parseYamlFile(text, 'x.yaml', schema);
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe('parseYamlFile', () => {
  it('returns the checked value with its defaults', () => {
    expect(parseYamlFile('name: a\n', 'x.yaml', schema)).toEqual({
      ok: true,
      value: { name: 'a', list: [] },
    });
  });

  it('reports all problems at once, each where it stands, in the order of the file', () => {
    const text = 'limits:\n  calls: 11\nlist:\n  - number: 12\n    nmae: x\n  - {}\n';
    expect(problemsOf(text)).toEqual([
      'x.yaml:1:1: name: is required',
      'x.yaml:2:10: limits.calls: Too big: expected number to be <=10',
      'x.yaml:4:13: list.0.number: must be text: put it in quotes',
      'x.yaml:5:5: list.0.nmae: is not a known key; known are number',
      'x.yaml:6:5: list.1.number: is required',
    ]);
  });

  it('says which key a misspelt one probably means', () => {
    expect(problemsOf('name: a\nlimit: {}\n')).toEqual([
      'x.yaml:2:1: limit: is not a known key; did you mean limits?',
    ]);
  });

  it('reports broken YAML with its place', () => {
    expect(problemsOf('name: a\nname: b\n')).toEqual(['x.yaml:2:1: Map keys must be unique']);
    expect(problemsOf('name: [a\n')[0]).toMatch(/^x\.yaml:\d+:\d+: /);
  });

  it('finds the place of a value behind an alias', () => {
    const text = 'name: a\nlist:\n  - &one { number: 1 }\n  - *one\n';
    expect(problemsOf(text).map((line) => line.slice(0, 12))).toEqual([
      'x.yaml:3:20:',
      'x.yaml:3:20:',
    ]);
  });

  it('reports an empty file at its first line', () => {
    expect(problemsOf('')[0]).toMatch(/^x\.yaml:1:1: /);
  });

  it('explains the alternative of a union that the writer came nearest to', () => {
    const either = z.union([z.string(), z.strictObject({ a: z.number() })]);
    const result = parseYamlFile('v: { a: x }', 'x.yaml', z.strictObject({ v: either }));
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual(['v.a']);
  });
});
