import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { conversationEvents, type ConversationOutcome } from '../../src/cli/simulator-client.ts';
import { spreadOf, type Spread } from '../statistics.ts';
import type { Bench } from './bench.ts';

const folder = path.resolve(import.meta.dirname, '../latency');

const LATENCY_GREETING = 'Hello, how can I help you?';

/** The personalities, prompts and numbers of these conversations. */
export const latencyEnvironment: Record<string, string> = {
  AGENTS_DIR: path.join(folder, 'agents'),
  PROMPTS_DIR: path.join(folder, 'prompts'),
  TRUNKS_FILE: path.join(folder, 'trunks.yaml'),
  DEFAULT_PERSONALITY: 'ours',
  BENCH_GREETING: LATENCY_GREETING,
};

/** The trunk has a number for each personality; where there are no personalities, either will do. */
export const latencyNumber = '+12025550130';

export type LatencyFigures = {
  conversations: number;
  /** By the name of the measure (docs/simulator.md), ms. */
  times: Record<string, Spread>;
  /** Turns in which the caller hesitated, and those in which the agent cut in. */
  hesitations: number;
  cutIns: number;
};

/** Each stage of a turn, at the caller's ear and at the stand-ins, in scripted conversations. */
export async function measureLatency(
  { contender, say }: Bench,
  rounds: Rounds,
): Promise<LatencyFigures> {
  const { simulatorUrl } = contender.stack.info;
  const outcomes: ConversationOutcome[] = [];
  for (const name of conversationsOf(rounds)) {
    outcomes.push(await hold(simulatorUrl, name, contender.system === 'trunkline'));
    say(`conversation ${name}`);
  }
  return sumUp(outcomes);
}

/** How often each conversation is held: turns of few words and breaking in, and hesitant speakers. */
type Rounds = { turns: number; hesitant: number };

function conversationsOf({ turns, hesitant }: Rounds): string[] {
  return [
    ...Array.from({ length: turns }, () => ['turn', 'break-in']).flat(),
    ...Array.from({ length: hesitant }, () => 'hesitant'),
  ];
}

export function sumUp(outcomes: readonly ConversationOutcome[]): LatencyFigures {
  const calls = outcomes.flatMap(({ calls: own }) => own);
  const measures = Map.groupBy(
    calls.flatMap((call) => call.measures),
    ({ name }) => name,
  );
  const sum = (of: (call: (typeof calls)[number]) => unknown) =>
    calls.reduce((total, call) => total + Number(of(call) ?? 0), 0);
  return {
    conversations: outcomes.length,
    times: Object.fromEntries(
      [...measures].flatMap(([name, all]) => {
        const spread = spreadOf(all.map(({ ms }) => ms));
        return spread ? [[name, spread]] : [];
      }),
    ),
    hesitations: sum(({ hesitations }) => hesitations),
    cutIns: sum(({ cutIns }) => cutIns),
  };
}

async function hold(url: string, name: string, ours: boolean): Promise<ConversationOutcome> {
  const file = `${name}-${ours ? 'ours' : 'stock'}`;
  const source = readFileSync(path.join(folder, 'conversations', `${file}.yaml`), 'utf8');
  const conversation = parse(source) as Record<string, unknown>;
  // Only our agents tell the ledger.
  if (!ours) delete conversation['expect'];
  const asked = { file, source: JSON.stringify(conversation), record: false, patience: '1' };
  for await (const event of conversationEvents({ url, apiKey: undefined }, asked)) {
    if (event.type === 'report') return event.report;
  }
  throw new Error('the simulator broke a conversation off');
}
