import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { styleText } from 'node:util';
import { defineCommand } from 'citty';
import { loadConfig } from '../../platform/config.ts';
import { asError, OperatorError } from '../../platform/errors.ts';
import {
  conversationEvents,
  type ConversationOutcome,
  type SimulatorAddress,
} from '../simulator-client.ts';
import { Tally } from './simulate/tally.ts';

const DEMO = path.resolve(import.meta.dirname, '../../simulator/demo.yaml');

const description = `Hold telephone conversations with the agents, as tests.

A conversation is a YAML file (docs/simulator.md): who calls whom, who says what, and what must be heard
within which time. What the agent says is recognised from the sound that arrives. Exits 0 only if all
conversations took place as written.

Examples:
  trunkline simulate --demo                             a call over the loopback trunk, as it happens
  trunkline simulate test/conversations/inbound.yaml    one conversation
  trunkline simulate test/conversations --record out    all of a folder, each call left as sound
  trunkline simulate --json busy.yaml | jq .passed      the report as JSON, one line a conversation
  trunkline simulate --repeat 10 inbound.yaml           how fast it is: a table of the times measured`;

export default defineCommand({
  meta: { name: 'simulate', description },
  args: {
    files: {
      type: 'positional',
      required: false,
      description: 'conversations (YAML), or folders of them',
      valueHint: 'FILE…',
    },
    demo: { type: 'boolean', description: 'hold the conversation that comes with Trunkline' },
    json: { type: 'boolean', description: 'print one report a line, as JSON' },
    record: {
      type: 'string',
      valueHint: 'DIR',
      description: 'leave the sound of each call there (WAV: caller left, agent right)',
    },
    patience: {
      type: 'string',
      valueHint: 'FACTOR',
      default: '1',
      description: 'let every limit of time count so many times (1 to 20), on a busy machine',
    },
    repeat: {
      type: 'string',
      valueHint: 'N',
      default: '1',
      description: 'hold everything so many times (1 to 1000), and sum up the times measured',
    },
    url: {
      type: 'string',
      valueHint: 'URL',
      description: 'the simulator; absent: SIMULATOR_URL',
    },
  },
  async run({ args }) {
    const files = [...(args.demo ? [DEMO] : []), ...(await expand(args._))];
    if (files.length === 0) {
      throw new OperatorError('No conversation is given.', {
        remedy: 'Name a file, for example test/conversations/inbound.yaml, or use --demo.',
      });
    }
    const simulator = addressOf(args.url);
    const { record, json, patience } = args;
    const rounds = roundsOf(args.repeat);
    const show = json ? () => undefined : print;
    const tally = new Tally();
    let failed = 0;
    for (let round = 1; round <= rounds; round += 1) {
      const take = rounds > 1 ? `-${round}` : '';
      for (const file of files) {
        const options = { show, record, json, patience, take };
        const report = await simulate(file, simulator, options);
        tally.add(file, report);
        if (!report.passed) failed += 1;
      }
    }
    if (rounds > 1) {
      show(tally.toString());
      if (json) process.stdout.write(`${JSON.stringify({ summary: tally.conversations })}\n`);
    }
    const held = rounds * files.length;
    if (held > 1) show(`\n${held - failed} passed, ${failed} failed`);
    if (failed > 0) process.exitCode = 1;
  },
});

/** Runs one conversation; what came of it. */
async function simulate(
  file: string,
  simulator: SimulatorAddress,
  options: {
    show: (text: string) => void;
    record: string | undefined;
    json: boolean | undefined;
    patience: string;
    /** Tells the sound files of repeated calls apart. */
    take: string;
  },
): Promise<ConversationOutcome> {
  const name = path.basename(file).replace(/\.ya?ml$/, '');
  const source = await read(file);
  const { patience } = options;
  const record = options.record !== undefined;
  const asked = { file, source, record, patience };
  for await (const event of conversationEvents(simulator, asked)) {
    if (event.type === 'recording' && options.record !== undefined) {
      const sound = await keep(
        options.record,
        `${name}${options.take}-${event.call}`,
        event.wavBase64,
      );
      options.show(`           sound: ${sound}`);
    }
    if (event.type === 'progress') options.show(labelled(event));
    if (event.type === 'report') {
      options.show(`${event.text}\n`);
      if (options.json) process.stdout.write(`${JSON.stringify(event.report)}\n`);
      return event.report;
    }
  }
  throw new OperatorError('The simulator broke the conversation off without a report.', {
    remedy: 'Its log tells why: trunkline logs simulator',
  });
}

function labelled({ call, text }: { call: string; text: string }): string {
  return call === '' ? text : `${call.padEnd(8)}${text}`;
}

function print(text: string): void {
  const coloured = text
    .replaceAll('✓', styleText('green', '✓'))
    .replaceAll('✗', styleText('red', '✗'));
  process.stdout.write(`${coloured}\n`);
}

async function keep(folder: string, name: string, wavBase64: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name.replaceAll(/[^\w-]+/g, '-').replace(/-call$/, '')}.wav`);
  await writeFile(file, Buffer.from(wavBase64, 'base64'));
  return file;
}

/** Folders stand for the conversations in them. */
async function expand(names: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    names.map(async (name) => {
      const found = await stat(name).catch(() => undefined);
      if (!found?.isDirectory()) return [name];
      const entries = await readdir(name);
      return entries
        .filter((entry) => /\.ya?ml$/.test(entry))
        .sort()
        .map((entry) => path.join(name, entry));
    }),
  );
  return lists.flat();
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new OperatorError(`${file} cannot be read.`, {
      remedy: 'Check its name; conversations lie in test/conversations.',
      cause: asError(thrown),
    });
  }
}

function roundsOf(repeat: string): number {
  const rounds = Number(repeat);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000) return rounds;
  throw new OperatorError('--repeat is no number of times.', {
    remedy: 'Give a whole number from 1 to 1000, for example --repeat 10.',
  });
}

function addressOf(url: string | undefined): SimulatorAddress {
  if (url !== undefined) return { url, apiKey: process.env['API_KEY'] };
  const config = loadConfig();
  return { url: config.SIMULATOR_URL, apiKey: config.API_KEY };
}
