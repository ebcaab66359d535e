import { defineCommand } from 'citty';
import { askAgent } from './ask-agent.ts';
import { idArgument, jsonFlag } from './call-view.ts';

export default defineCommand({
  meta: {
    name: 'dtmf',
    description:
      'Send keys to the far end of a call.\n\n' +
      'Example:\n  trunkline call dtmf call_01m7yfzhwyrn24fbfcjbn4ygt5 1w2#',
  },
  args: {
    id: idArgument,
    digits: {
      type: 'positional',
      required: true,
      description: '1 to 64 of 0-9 * # A-D; w waits 0.5 s, W 1 s',
    },
    json: jsonFlag,
  },
  async run({ args }) {
    await askAgent(
      { id: args.id, what: 'dtmf', body: { digits: args.digits } },
      { done: 'The keys were sent.', accepted: 'The keys are being sent.' },
      args.json === true,
    );
  },
});
