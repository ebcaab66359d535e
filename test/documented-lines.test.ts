import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const root = path.resolve(import.meta.dirname, '..');
const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** How a line must be answered that asks for what an ended call, or a stack without a notifier, cannot give. */
const ANSWERS: [RegExp, number[]][] = [
  [/\/(cancel|hangup|dtmf|transfer)$/, [409]],
  // The call was not recorded.
  [/\/recording$/, [404]],
  [/\/notify\/test$/, [200, 400, 409]],
  // Nobody is there; the answer comes before anybody is told.
  [/\/deliveries\/whd_\w+\/replay$/, [202, 409]],
];

/** The shell blocks of a text that use `curl`. */
function blocks(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, block = '']) => block)
    .filter((block) => /(^|\$\()curl /m.test(block));
}

/**
 * A block as a list of scripts with one `curl` each, so that an id that one answers is there for the next. What
 * is set before stands in all that follow.
 */
function steps(block: string): string[] {
  // The line before lets even the first line be split off.
  const [before = '', ...requests] = `\n${block}`.split(/^(?=curl )/m);
  const assignments = (script: string) => script.match(/^(?:export )?\w+=.*$/gm) ?? [];
  let set = before;
  return requests.map((request) => {
    const script = set + request;
    set += `${assignments(request).join('\n')}\n`;
    return script;
  });
}

/** Tells what each `curl` was answered; one that streams (`-N`) is listened to for a while only. */
const CURL = `
curl() {
  local limit=120
  [ "$1" != -N ] || limit=5
  command curl -sS --max-time $limit -w '%{stderr}\\nANSWER %{http_code} %{url_effective}\\n' "$@" || [ $? = 28 ]
}`;

let stack: StackFixture;
let folder: string;
let call: string;
beforeAll(async () => {
  stack = await StackFixture.start({ WEBHOOK_SECRET });
  folder = mkdtempSync(path.join(tmpdir(), 'trunkline-docs-'));
  const env = [`API_KEY=${stack.info.apiKey}`, `WEBHOOK_SECRET=${WEBHOOK_SECRET}`];
  writeFileSync(path.join(folder, '.env'), `${env.join('\n')}\n`);
  symlinkSync(path.join(root, 'bin'), path.join(folder, 'bin'));
  copyFileSync(
    path.join(root, 'src/api/speech/fixtures/line.wav'),
    path.join(folder, 'sample.wav'),
  );
  const conversation = path.join(import.meta.dirname, 'conversations/inbound.yaml');
  await stack.run(`simulate --patience 6 ${conversation}`);
  const { calls } = (await (await stack.request('GET', '/api/calls')).json()) as {
    calls: { id: string }[];
  };
  call = calls[0]?.id ?? '';
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

/** Ids that answers named: the examples' own stand in no database. */
const learnt = new Map<string, string>();

/** Whoever tries an endpoint is told of the delivery by the list. */
async function deliveryGivenUp(): Promise<string> {
  return eventually(async () => {
    const list = await stack.request('GET', '/api/webhooks/deliveries');
    const { deliveries } = (await list.json()) as { deliveries: { id: string }[] };
    return deliveries[0]?.id;
  });
}

async function paste(block: string): Promise<string> {
  if (block.includes('whd_')) learnt.set('whd', await deliveryGivenUp());
  let script = block.replaceAll('http://127.0.0.1:8000', '$TRUNKLINE');
  script = script.replaceAll(/call_01m7\w+/g, call);
  for (const prefix of ['key', 'whe', 'whd']) {
    script = script.replaceAll(
      new RegExp(`${prefix}_(01m7\\w+|…)`, 'g'),
      learnt.get(prefix) ?? `${prefix}_unknown`,
    );
  }
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', `set -uo pipefail${CURL}\n${script}`],
    {
      cwd: folder,
      env: {
        ...process.env,
        ...stack.environment,
        TRUNKLINE: stack.info.apiUrl,
        API_KEY: stack.info.apiKey,
        CALL: call,
      },
      maxBuffer: 50_000_000,
    },
  );
  for (const [, prefix = '', id = ''] of stdout.matchAll(/"id":"(key|whe)(_\w+)"/g)) {
    learnt.set(prefix, prefix + id);
  }
  return stdout + stderr;
}

describe('the lines to paste', () => {
  it.each(['README.md', 'docs/api.md', 'docs/webhooks.md', 'docs/live.md'])(
    'of %s do what they say',
    async (file) => {
      const pasted = blocks(file);
      expect(pasted.length).toBeGreaterThan(0);
      let requests = 0;
      for (const block of pasted.flatMap(steps)) {
        const printed = await paste(block);
        requests += 1;
        const answers = [...printed.matchAll(/^ANSWER (\d+) (\S+)$/gm)];
        expect(answers.length, block).toBeGreaterThan(0);
        for (const [, status = '', url = ''] of answers) {
          const [address = ''] = url.split('?');
          const expected = ANSWERS.find(([pattern]) => pattern.test(address))?.[1];
          const good = expected ?? [200, 201, 202, 204, 206];
          expect(
            good,
            `${status} of ${address} in:\n${block}\n${printed.slice(0, 2000)}`,
          ).toContain(Number(status));
        }
      }
    },
  );
});
