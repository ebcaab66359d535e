import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIVE_CALLS } from '../src/call/live-calls.ts';
import { endsOf } from '../src/dispatcher/fixtures/events-of.ts';
import { findCallId } from '../src/call/room-call-id.ts';
import { eventually } from './eventually.ts';
import { HostRig } from './host-rig.ts';

const LINE = 'I would like to book a check-up, please.';
/** `HEALTHY_MINUTES=60`: that hour of healthy load; in the usual run thirty short calls. */
const MINUTES = Number(process.env['HEALTHY_MINUTES'] ?? 0);
const CALLS = 30;
const AT_ONCE = 3;

let rig: HostRig;
let line: Int16Array;
beforeAll(async () => {
  rig = await HostRig.start();
  line = await rig.speech.say(LINE);
  rig.callerLines.add(LINE, line);
});
afterAll(async () => rig?.stop());
beforeEach(() => {
  rig.signs.splice(0);
  rig.faults.replace({});
});

/** The agent greets, hears a line, and is left. */
async function shortCall(): Promise<void> {
  const caller = await rig.call();
  try {
    await caller.heard;
    await caller.say(line);
  } finally {
    await caller.hangUp();
  }
}

async function allOver(): Promise<void> {
  await eventually(() => (rig.host.calls === 0 ? true : undefined));
}

/** How a call ended, as the ledger is told. */
async function endOf(room: string): Promise<string> {
  return eventually(async () => {
    const id = await findCallId(rig.redis, room);
    return id === undefined ? undefined : (await endsOf(rig.redis, id))[0];
  });
}

describe('a healthy load', () => {
  it(
    'leaves nothing behind, and shows no sign of anything wrong',
    { timeout: 600_000 + MINUTES * 60_000 },
    async () => {
      // The first calls open what stays open: connections for commands, and to vendors.
      await Promise.all(Array.from({ length: AT_ONCE }, shortCall));
      await allOver();
      const before = await settled();
      const { pid } = rig.host;
      const until = Date.now() + MINUTES * 60_000;
      let made = 0;
      const oneAfterTheOther = async () => {
        while (made < CALLS || Date.now() < until) {
          made += 1;
          await shortCall();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
      await allOver();
      // What is still being closed takes its time; what was left behind stays.
      await eventually(() => (isSame(rig.host.figures.open, before) ? true : undefined));
      expect(await rig.rooms.listRooms()).toEqual([]);
      expect(await rig.redis.hlen(LIVE_CALLS)).toBe(0);
      expect([rig.signs, rig.recycled, rig.lost]).toEqual([[], [], []]);
      expect(rig.host.pid).toBe(pid);
    },
  );
});

/** What the host holds open, once it has been the same for a while. */
async function settled(): Promise<Record<string, number>> {
  let last: Record<string, number> = {};
  for (let same = 0; same < 10;) {
    await delay(300);
    const { open } = rig.host.figures;
    same = isSame(open, last) ? same + 1 : 0;
    last = open;
  }
  return last;
}

const isSame = (a: Record<string, number>, b: Record<string, number>) =>
  JSON.stringify(a) === JSON.stringify(b);

describe('what is wrong within a call', () => {
  it('is told of a line from which nothing comes, and the end says so', async () => {
    const caller = await rig.call({ silentLine: true });
    await caller.heard;
    await caller.ended;
    expect(rig.signs).toEqual(['caller_soundless']);
    expect(await endOf(caller.room)).toBe(
      'completed: No sound came from the far end any more, so the agent ended the call.',
    );
    await caller.hangUp();
  });

  it('is told of a voice that gives silence, and ends the call as failed', async () => {
    rig.faults.replace({ tts: { silent: true } });
    const caller = await rig.call();
    const over = caller.ended.then(() => true);
    for (let isOver = false; !isOver;) {
      isOver = await Promise.race([over, delay(8000, false)]);
      if (!isOver) await caller.say(line);
    }
    expect(rig.signs).toEqual(['agent_soundless', 'tts_failed']);
    expect(await endOf(caller.room)).toMatch(
      /^failed: The voice \(.*\) gave no sound that can be heard\.$/,
    );
    await caller.hangUp();
  });

  it('is told of a voice that takes the words and gives nothing', async () => {
    const caller = await rig.call();
    await caller.heard;
    rig.faults.replace({ tts: { hang: true } });
    await caller.say(line);
    await caller.ended;
    expect(rig.signs).toEqual(['tts_failed']);
    expect(await endOf(caller.room)).toMatch(/^failed: The voice \(.*\) /);
    await caller.hangUp();
  });
});
