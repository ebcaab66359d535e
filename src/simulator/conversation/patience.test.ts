import { expect, it } from 'vitest';
import { withPatience } from './patience.ts';
import { requireConversation } from './schema.ts';

it('makes limits longer, and leaves what is said and the pauses as they are', () => {
  const conversation = (within: number, silence: number) =>
    requireConversation(
      `calls:
  - call: { to: "+12025550110" }
    steps:
      - agent: { says: "Hello.", within_ms: ${within}, interrupted: true }
      - caller: { says: "Stop.", interrupts: { after_ms: 500, silence_within_ms: ${silence} } }
      - agent: { replies_within_ms: ${within} }
      - caller: { silence_ms: 700 }
    expect: { outcome: completed, heard_first_word_within_ms: ${within}, answered_within_ms: ${within} }
`,
      'c.yaml',
    );
  expect(withPatience(conversation(100, 400), 3)).toEqual(conversation(300, 1200));
});
