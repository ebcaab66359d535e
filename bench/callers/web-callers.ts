import { setTimeout as delay } from 'node:timers/promises';
import { asError } from '../../src/platform/errors.ts';
import { Caller } from './caller.ts';
import { speakLines } from './caller-lines.ts';
import { WebLeg, type LiveKitAddress } from './web-leg.ts';
import type { WebCall, WebNews, WebOrder } from './web-orders.ts';

/** A process of callers by WebRTC, apart from the bench so that neither holds up the other. */

/** People think before they speak; the longest silence that a personality bears is longer. */
const THINK_MS = 4000;
/** A short call takes 4 s where all is well. */
const SHORT_CALL_MS = 25_000;
const START_APART_MS = 400;

const stop = new AbortController();

async function crowd(order: Extract<WebOrder, { case: 'crowd' }>['value']): Promise<WebCall[]> {
  const { long } = await speakLines();
  const talks = await Promise.all(
    Array.from({ length: order.calls }, async (_, index) => {
      await delay(index * order.apartMs);
      const { leg, caller } = await join(order.livekit);
      return { leg, caller, done: caller.talk(long, stop.signal, THINK_MS) };
    }),
  );
  tell({ case: 'joined', value: { calls: talks.length } });
  await Promise.all(talks.map(async ({ done }) => done));
  return Promise.all(talks.map(async ({ leg, caller }) => finish(leg, caller)));
}

async function soak(order: Extract<WebOrder, { case: 'soak' }>['value']): Promise<WebCall[]> {
  const { short } = await speakLines();
  let left = order.calls;
  const oneAfterTheOther = async (_: unknown, index: number) => {
    // A host that is asked for all at once is late, and takes none until it is not.
    await delay(index * START_APART_MS);
    while (left > 0 && !stop.signal.aborted) {
      left -= 1;
      tell({ case: 'done', value: await shortCall(order.livekit, short) });
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, oneAfterTheOther));
  return [];
}

/** Breaks in on the greeting with a short line, and leaves when the answer begins. */
async function shortCall(livekit: LiveKitAddress, line: Int16Array): Promise<WebCall> {
  const { leg, caller } = await join(livekit);
  const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(SHORT_CALL_MS)]);
  await caller.exchange(line, limit);
  return finish(leg, caller);
}

async function join(livekit: LiveKitAddress): Promise<{ leg: WebLeg; caller: Caller }> {
  const leg = await WebLeg.join(livekit);
  return { leg, caller: Caller.on(leg) };
}

async function finish(leg: WebLeg, caller: Caller): Promise<WebCall> {
  const quality = await leg.quality().catch(() => undefined);
  const { firstWordAfterMs, repliesMs, unanswered, cut } = caller;
  await caller.hangUp();
  return { firstWordMs: firstWordAfterMs, repliesMs, unanswered, cut: cut?.reason, quality };
}

function tell(news: WebNews): void {
  process.send?.(news);
}

async function carryOut(order: WebOrder): Promise<void> {
  if (order.case === 'stop') {
    stop.abort();
    return;
  }
  try {
    const value = order.case === 'crowd' ? await crowd(order.value) : await soak(order.value);
    tell({ case: 'report', value });
  } catch (thrown) {
    tell({ case: 'failed', value: asError(thrown).message });
  }
}

process.on('message', (order: WebOrder) => void carryOut(order));
// Nothing of it outlives the bench.
process.on('disconnect', () => process.exit(0));
