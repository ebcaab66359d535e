import { defineCommand } from 'citty';
import { askAgent } from './ask-agent.ts';
import { idArgument, jsonFlag } from './call-view.ts';

export default defineCommand({
  meta: {
    name: 'transfer',
    description:
      'Hand a call over to somebody else (blind transfer). Refused, it goes on with the agent.\n\n' +
      'Example:\n  trunkline call transfer call_01m7yfzhwyrn24fbfcjbn4ygt5 +12025550142',
  },
  args: {
    id: idArgument,
    to: {
      type: 'positional',
      required: true,
      description: 'number, or sip:user@host where the trunk permits the host',
    },
    json: jsonFlag,
  },
  async run({ args }) {
    await askAgent(
      { id: args.id, what: 'transfer', body: { to: args.to } },
      {
        done: 'The call was transferred.',
        accepted: 'The call is being transferred; `trunkline call show` tells how it goes.',
      },
      args.json === true,
    );
  },
});
