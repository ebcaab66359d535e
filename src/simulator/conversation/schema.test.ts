import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../platform/yaml-file.ts';
import { callsOf, parseConversation, vendorFaultsOf, vendorPaceOf } from './schema.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const conversations = ['test/conversations', 'bench/latency/conversations'].flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => path.join(folder, name)),
);

function problemsOf(yaml: string): string[] {
  const parsed = parseConversation(yaml, 'c.yaml');
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

describe('a conversation file', () => {
  it.each([...conversations, 'src/simulator/demo.yaml'])('%s is well formed', (file) => {
    const parsed = parseConversation(readFileSync(path.join(root, file), 'utf8'), file);
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([]);
  });

  it('has its problems named at their places, all at once', () => {
    const problems = problemsOf(`call: { to: "+12025550110" }
steps:
  - agent: { says: "Hello", whithin_ms: 3 }
  - caller: { says: "Hi", presses: "1" }
  - caller: { presses: "x" }
  - agent: { within_ms: 1, replies_within_ms: 2 }
expect: { outcome: answered }
`);
    expect(problems.map((problem) => problem.split(': ', 2).join(': '))).toEqual([
      'c.yaml:3:29: steps.0.agent.whithin_ms',
      'c.yaml:4:13: steps.1.caller',
      'c.yaml:5:24: steps.2.caller.presses',
      'c.yaml:6:12: steps.3.agent',
      'c.yaml:7:20: expect.outcome',
    ]);
  });

  it('needs one call or one order, and a callee only with an order', () => {
    expect(problemsOf('steps: []\n')).toHaveLength(1);
    expect(
      problemsOf('call: { to: "+12025550110" }\norder: { to_number: "+12025550100" }\n'),
    ).toHaveLength(1);
    expect(problemsOf('call: { to: "+12025550110" }\ncallee: { busy: true }\n')).toHaveLength(1);
    expect(problemsOf('order: { to_number: "+12025550100" }\ncallee: { busy: true }\n')).toEqual(
      [],
    );
  });

  it('limits the time to the answer only of a call that somebody dials', () => {
    const limit = 'expect: { answered_within_ms: 1000 }\n';
    const order = 'order: { to_number: "+12025550100" }\n';
    expect(problemsOf(`call: { to: "+12025550110" }\n${limit}`)).toEqual([]);
    expect(problemsOf(order + limit)).toEqual([
      expect.stringContaining('expect.answered_within_ms: goes with call'),
    ]);
    expect(problemsOf(`calls:\n  - ${order}    ${limit}`)).toHaveLength(1);
    expect(
      problemsOf(
        'call: { to: "+12025550110" }\nexpect: { answered: false, answered_within_ms: 1 }\n',
      ),
    ).toHaveLength(1);
  });

  it('hesitates with words and pauses by turns', () => {
    const hesitating = (parts: string) =>
      problemsOf(`call: { to: "+12025550110" }
steps:
  - caller: { hesitates: ${parts} }
`);
    expect(hesitating('["My name is", 600, "Anna."]')).toEqual([]);
    for (const parts of ['["My name is", 600]', '[600, "Anna."]', '["My", "name"]', '[]']) {
      expect(hesitating(parts), parts).toHaveLength(1);
    }
  });

  it('gives its pace to the stand-ins in their own spelling', () => {
    expect(vendorPaceOf({ transcript_after_ms: 150, first_token_ms: 0 })).toEqual({
      transcriptMs: 150,
      firstTokenMs: 0,
      nextWordsMs: undefined,
    });
  });

  it('makes several calls of one, or has them listed', () => {
    const parallel = parseConversation('call: { to: "+12025550110" }\nparallel: 3\n', 'c.yaml');
    expect(parallel.ok && callsOf(parallel.value).map(({ label }) => label)).toEqual([
      'call 1',
      'call 2',
      'call 3',
    ]);
    const listed = parseConversation(
      'calls:\n  - call: { to: "+12025550110" }\n  - order: { to_number: "+12025550100" }\n',
      'c.yaml',
    );
    expect(listed.ok && callsOf(listed.value).map(({ call }) => call?.to)).toEqual([
      '+12025550110',
      undefined,
    ]);
  });

  it('gives faults to the stand-ins in their own spelling', () => {
    expect(vendorFaultsOf({ stt: { delay_ms: 300 }, tts: { status: 503, times: 1 } })).toEqual({
      stt: { delayMs: 300 },
      tts: { status: 503, times: 1 },
    });
  });
});
