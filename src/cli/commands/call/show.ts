import { defineCommand } from 'citty';
import { z } from 'zod';
import { ApiClient } from '../../api-client.ts';
import { callView, describeCall, idArgument, jsonFlag, numberOf, pathOf } from './call-view.ts';

const recordView = callView.extend({
  timeline: z.array(z.looseObject({ type: z.string(), at: z.string() })),
  turns: z.array(z.unknown()),
});

export default defineCommand({
  meta: {
    name: 'show',
    description:
      'Show a call and what happened in it. What was said is only in --json.\n\n' +
      'Examples:\n  trunkline call show call_01m7yfzhwyrn24fbfcjbn4ygt5\n' +
      "  trunkline call show call_01m7yfzhwyrn24fbfcjbn4ygt5 --json | jq -r '.turns[].text'",
  },
  args: { id: idArgument, json: jsonFlag },
  async run({ args }) {
    const call = await ApiClient.ofConfig().json('GET', pathOf(args.id), recordView);
    process.stdout.write(args.json ? `${JSON.stringify(call)}\n` : describe(call));
  },
});

function describe(call: z.infer<typeof recordView>): string {
  const lines = [
    `${call.direction}, ${numberOf(call)}, ${call.personality ?? '-'}, over ${call.trunk ?? '-'}, ${call.turns.length} turns`,
    ...call.timeline.map(({ at, type }) => `  ${at}  ${type}`),
  ];
  return `${describeCall(call)}${lines.join('\n')}\n`;
}
