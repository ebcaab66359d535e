import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatProblem } from '../platform/yaml-file.ts';
import { loadPrompts } from './load-prompts.ts';
import { createFixture, type Fixture } from './personality-fixture.ts';

let fixture: Fixture;
beforeEach(() => {
  fixture = createFixture();
});
afterEach(() => fixture.remove());

const problems = async () =>
  (await loadPrompts(fixture.root, 'prompts')).problems.map(formatProblem);

describe('loadPrompts', () => {
  it('reads texts and parameters, in the short and the long form', async () => {
    fixture.write(
      'prompts/prompts.yaml',
      'hello: { file: hello.md, parameters: { shop: "A", name: { required: true } } }\n',
    );
    const { prompts } = await loadPrompts(fixture.root, 'prompts');
    expect(prompts?.get('hello')).toEqual({
      key: 'hello',
      text: 'You work for {{ shop }}.\n',
      parameters: { shop: { default: 'A', required: false }, name: { required: true } },
    });
  });

  it('reports a variable that is not declared, at its place in the Markdown', async () => {
    fixture.write('prompts/hello.md', 'Hi\n\nof {{ shop }} and {{ shpo }}\n');
    expect(await problems()).toEqual([
      'prompts/hello.md:3:22: shpo is no parameter of this prompt; declare it in prompts.yaml (known: shop, agent_name, caller_name, direction, language, now, today)',
    ]);
  });

  it('reports broken Liquid, an empty text and a file that is not there, each where it is', async () => {
    fixture.write(
      'prompts/prompts.yaml',
      'a: { file: a.md }\nb: { file: b.md }\nc:\n  file: c.md\n',
    );
    fixture.write('prompts/a.md', 'x {% if %}');
    fixture.write('prompts/b.md', ' \n');
    expect(await problems()).toEqual([
      expect.stringMatching(/^prompts\/a\.md:1:\d+: /),
      'prompts/b.md:1:1: the prompt is empty',
      'prompts/prompts.yaml:4:9: c.file: no such file',
    ]);
  });

  it('reads no file outside its folder', async () => {
    fixture.write('secret.md', 'x');
    fixture.write('prompts/prompts.yaml', 'a: { file: ../secret.md }\n');
    expect((await problems())[0]).toContain('must be a Markdown file');
  });

  it('refuses a parameter that is required and has a default', async () => {
    fixture.write(
      'prompts/prompts.yaml',
      'hello:\n  file: hello.md\n  parameters:\n    shop: { required: true, default: x }\n',
    );
    expect(await problems()).toEqual([
      'prompts/prompts.yaml:4:38: hello.parameters.shop.default: is required and has a default; give one of the two',
    ]);
  });
});
