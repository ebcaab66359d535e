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
    name: 'cancel',
    description:
      'End an outbound call that nobody has answered yet: queued, scheduled, dialled or ringing.\n\n' +
      'Example:\n  trunkline call cancel call_01m7yfzhwyrn24fbfcjbn4ygt5',
  },
  args: { id: idArgument, json: jsonFlag },
  async run({ args }) {
    const call = await ApiClient.ofConfig().json('POST', pathOf(args.id, 'cancel'), callView, {
      timeoutMs: CONTROL_TIMEOUT_MS,
    });
    process.stdout.write(args.json ? `${JSON.stringify(call)}\n` : describeCall(call));
  },
});
