import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '../../src/platform/log.ts';
import { Releases } from '../../src/platform/releases.ts';
import { SipPhone } from '../../src/simulator/phone/sip-phone.ts';
import { speakLines, teachLines, type CallerLines } from '../callers/caller-lines.ts';
import { Caller } from '../callers/caller.ts';
import { Contender } from '../contender/contender.ts';
import { NUMBER } from '../contender/greeting.ts';
import type { System } from '../contender/systems.ts';
import { aborted } from '../../src/simulator/conversation/waiting.ts';
import { makeProbes, type Probes } from '../probe/probes.ts';

/** A Python worker imports its plugins for some seconds; a busy machine takes longer. */
const READY_MS = 90_000;

/** One system made ready, and a telephone that calls it. */
export type Bench = {
  contender: Contender;
  lines: CallerLines;
  probes: Probes;
  /** Tells people what goes on. */
  say: (text: string) => void;
  /** Somebody calls; whoever asked for it hangs up. */
  dial: () => Promise<Caller>;
};

/**
 * Starts a system, measures it and takes everything down again, whatever happens.
 *
 * @throws Error where no agent answers
 */
export async function withBench<T>(
  system: System,
  options: {
    workers: number;
    environment?: Record<string, string>;
    /** The number that is called first; absent: the receptionist's. */
    number?: string;
    say: Bench['say'];
    /** Gives the measurement up; all is taken down. */
    signal: AbortSignal;
  },
  measure: (bench: Bench) => Promise<T>,
): Promise<T> {
  const releases = new Releases();
  try {
    const probes = makeProbes();
    releases.add('probes', () => probes.remove());
    const contender = await Contender.start(system, {
      workers: options.workers,
      environment: { ...options.environment, ...probes.environment },
    });
    releases.add('contender', async () => contender.stop());
    const lines = await speakLines();
    await Promise.race([
      untilAnswered(contender.stack.info.simulatorUrl, options.number ?? NUMBER),
      aborted(options.signal),
    ]);
    const log = createLog('bench', 'error');
    const phone = await SipPhone.open({ address: '127.0.0.1:0', log });
    releases.add('phone', async () => phone.close());
    const trunkHost = contender.stack.info.sipAddress;
    const dial = async () => Caller.dial(phone, trunkHost);
    const bench = { contender, lines, probes, say: options.say, dial };
    return await Promise.race([measure(bench), aborted(options.signal)]);
  } finally {
    await releases.run();
  }
}

/** A worker that has just started is asked for its first call only when it has registered. */
async function untilAnswered(simulatorUrl: string, number: string): Promise<void> {
  const limit = performance.now() + READY_MS;
  while (!(await teachLines(simulatorUrl, number))) {
    if (performance.now() > limit) throw new Error('no agent answers the first call');
    await delay(500);
  }
  // What a first call leaves behind (idle processes, caches) is made meanwhile.
  await delay(3000);
}
