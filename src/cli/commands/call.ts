import { defineCommand } from 'citty';

const description = `Look at calls, and end, cancel or transfer them. Asks the api at API_INTERNAL_URL, with API_KEY.

Examples:
  trunkline call list --status in_progress                    who talks now
  trunkline call show call_01m7yfzhwyrn24fbfcjbn4ygt5
  trunkline call hangup call_01m7yfzhwyrn24fbfcjbn4ygt5 --say "We are closing now. Goodbye."
  trunkline call cancel call_01m7yfzhwyrn24fbfcjbn4ygt5       not answered yet, or scheduled
  trunkline call dtmf call_01m7yfzhwyrn24fbfcjbn4ygt5 1w2#
  trunkline call transfer call_01m7yfzhwyrn24fbfcjbn4ygt5 +12025550142`;

const callCommand = defineCommand({
  meta: { name: 'call', description },
  subCommands: {
    list: () => import('./call/list.ts').then((module) => module.default),
    show: () => import('./call/show.ts').then((module) => module.default),
    hangup: () => import('./call/hangup.ts').then((module) => module.default),
    cancel: () => import('./call/cancel.ts').then((module) => module.default),
    dtmf: () => import('./call/dtmf.ts').then((module) => module.default),
    transfer: () => import('./call/transfer.ts').then((module) => module.default),
  },
});

export default callCommand;
