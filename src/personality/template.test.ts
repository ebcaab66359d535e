import { describe, expect, it } from 'vitest';
import { checkTemplate, fillTemplate } from './template.ts';

describe('checkTemplate', () => {
  it('finds every variable that must come from outside, where it is used', () => {
    const text = 'Hi\n{{ name }}{% if late %} at {{ time }}{% endif %}{% assign x = 1 %}{{ x }}';
    expect(checkTemplate(text)).toEqual({
      problems: [],
      variables: [
        { name: 'name', line: 2, column: 4 },
        { name: 'late', line: 2, column: 17 },
        { name: 'time', line: 2, column: 31 },
      ],
    });
  });

  it('reports broken Liquid at its place', () => {
    expect(checkTemplate('a\n  {{ name').problems).toEqual([
      { line: 2, column: 3, message: 'output "{{ name" not closed' },
    ]);
    expect(checkTemplate('{% if a %}').problems[0]?.message).toContain('not closed');
    expect(checkTemplate('{{ a | shout }}').problems[0]?.message).toContain('shout');
  });

  it('knows no tag that reads another file', () => {
    for (const tag of ['include', 'render', 'layout']) {
      expect(checkTemplate(`{% ${tag} "x" %}`).problems[0]?.message, tag).toContain('not found');
    }
  });

  it('refuses a text beyond all measure', () => {
    expect(checkTemplate('x'.repeat(100_001)).problems).toHaveLength(1);
  });
});

describe('fillTemplate', () => {
  it('fills values in as they are', () => {
    expect(fillTemplate('{{ a }} & {{ b }}', { a: '<Ada>', b: 2 })).toBe('<Ada> & 2');
  });

  it('does not run Liquid that stands in a value', () => {
    expect(fillTemplate('{{ a }}', { a: '{{ b }}' })).toBe('{{ b }}');
  });

  it('fails where a variable is missing, and reads nothing that is inherited', () => {
    expect(() => fillTemplate('{{ a }}', {})).toThrow('undefined variable');
    expect(() => fillTemplate('{{ a.constructor }}', { a: 'x' })).toThrow('undefined variable');
  });

  it('stops a template that would run or grow without end', () => {
    const loops = '{% for i in (1..100000) %}'.repeat(3) + 'x' + '{% endfor %}'.repeat(3);
    expect(() => fillTemplate(loops, {})).toThrow(/limit/);
  });
});
