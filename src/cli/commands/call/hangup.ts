import { defineCommand } from 'citty';
import { ApiClient } from '../../api-client.ts';
import {
  callView,
  CONTROL_TIMEOUT_MS,
  describeCall,
  idArgument,
  jsonFlag,
  pathOf,
} from './call-view.ts';

export default defineCommand({
  meta: {
    name: 'hangup',
    description:
      'End a call, at any stage; one that is not answered yet is canceled.\n\nExamples:\n' +
      '  trunkline call hangup call_01m7yfzhwyrn24fbfcjbn4ygt5\n' +
      '  trunkline call hangup call_01m7yfzhwyrn24fbfcjbn4ygt5 --say "We are closing now. Goodbye."',
  },
  args: {
    id: idArgument,
    say: { type: 'string', description: 'last words of the agent' },
    json: jsonFlag,
  },
  async run({ args }) {
    const call = await ApiClient.ofConfig().json('POST', pathOf(args.id, 'hangup'), callView, {
      timeoutMs: CONTROL_TIMEOUT_MS,
      ...(args.say === undefined ? {} : { body: { say: args.say } }),
    });
    process.stdout.write(args.json ? `${JSON.stringify(call)}\n` : describeCall(call));
  },
});
