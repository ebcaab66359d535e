import { setTimeout as delay } from 'node:timers/promises';
import { WebProcess } from '../callers/web-process.ts';
import type { WebCall } from '../callers/web-orders.ts';
import { pidsOfTrees, useOfTrees } from '../process-tree.ts';
import { rounded, spreadOf, type Spread } from '../statistics.ts';
import type { LoopReport } from '../probe/probes.ts';
import type { Bench } from './bench.ts';
import { openQueueWatch } from './queue-watch.ts';

const APART_MS = 400;
const SAMPLE_MS = 5000;
const MB = 1024 * 1024;

export type CrowdFigures = {
  calls: number;
  seconds: number;
  /** Calls that lasted to the end, and in which the agent never left the caller without an answer for 8 s. */
  healthy: number;
  /** Of the agents' processes together (PSS), the most that was seen. */
  memoryMb: number;
  /** Of the agents' processes together. */
  cpuCores: number;
  loop: LoopReport | undefined;
  replyMs: Spread | undefined;
  /** How the agents' sound arrived at the callers: share made up for frames that came too late. */
  madeUpShare: number;
  /** How long frames waited in the callers' jitter buffers, ms. */
  heldBackMs: Spread | undefined;
  jitterMs: Spread | undefined;
  /** The most events that were published and not yet in the ledger. */
  eventsBehind: number;
  samples: { second: number; memoryMb: number; cpuCores: number }[];
};

/** Many calls at once for minutes; the callers join by WebRTC, so that only agents and LiveKit are at work. */
export async function measureCrowd(
  { contender, probes, say }: Bench,
  { calls, seconds }: { calls: number; seconds: number },
): Promise<CrowdFigures> {
  const {
    livekitUrl: url,
    livekitApiKey: apiKey,
    livekitApiSecret: apiSecret,
  } = contender.stack.info;
  const callers = WebProcess.start({
    case: 'crowd',
    value: { livekit: { url, apiKey, apiSecret }, calls, apartMs: APART_MS },
  });
  const queue = openQueueWatch(contender.stack.info.redisUrl);
  try {
    await callers.joined;
    say(`${calls} callers are there`);
    await delay(SAMPLE_MS);
    const from = Date.now();
    const first = useOfTrees(contender.roots());
    const samples: CrowdFigures['samples'] = [];
    let last = { ...first, at: from };
    while (Date.now() - from < seconds * 1000) {
      await delay(SAMPLE_MS);
      await queue.look();
      const now = { ...useOfTrees(contender.roots()), at: Date.now() };
      samples.push({
        second: rounded((now.at - from) / 1000),
        memoryMb: rounded(now.pssBytes / MB),
        cpuCores: rounded((now.cpuMs - last.cpuMs) / (now.at - last.at), 2),
      });
      last = now;
    }
    const loop = probes.report(pidsOfTrees(contender.roots()), from, last.at);
    callers.stop();
    const reports = await callers.report;
    return {
      calls,
      seconds,
      ...healthOf(reports),
      memoryMb: Math.max(...samples.map(({ memoryMb }) => memoryMb)),
      cpuCores: rounded((last.cpuMs - first.cpuMs) / (last.at - from), 2),
      loop,
      eventsBehind: queue.most,
      samples,
    };
  } finally {
    await callers.end();
    await queue.close();
  }
}

type Health = Pick<CrowdFigures, 'healthy' | 'replyMs' | 'madeUpShare' | 'heldBackMs' | 'jitterMs'>;

export function healthOf(reports: readonly WebCall[]): Health {
  const qualities = reports.flatMap(({ quality }) => quality ?? []);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const samples = sum(qualities.map(({ samples }) => samples));
  const well = (call: WebCall) =>
    call.cut === undefined && call.unanswered === 0 && call.firstWordMs !== undefined;
  return {
    healthy: reports.filter(well).length,
    replyMs: spreadOf(reports.flatMap(({ repliesMs }) => repliesMs.map((ms) => rounded(ms)))),
    madeUpShare:
      samples === 0 ? 0 : rounded(sum(qualities.map(({ madeUp }) => madeUp)) / samples, 4),
    heldBackMs: spreadOf(qualities.map(({ heldBackMs }) => rounded(heldBackMs))),
    jitterMs: spreadOf(qualities.map(({ jitterMs }) => rounded(jitterMs, 1))),
  };
}
