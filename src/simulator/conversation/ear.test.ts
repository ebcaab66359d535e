import { describe, expect, it } from 'vitest';
import { FRAME_SAMPLES } from '../leg.ts';
import { Ear, voiceOf } from './ear.ts';
import { pause, WaitedTooLong, within } from './waiting.ts';
import { WireLeg } from './wire.ts';

const LOUD = new Int16Array(FRAME_SAMPLES).fill(4000);
const never = new AbortController().signal;

/** An ear on a wire; what it passes on to be recognised is counted. */
function earOn(): { ear: Ear; far: WireLeg; fed: () => number } {
  const { caller, agent } = WireLeg.pair();
  let fed = 0;
  const recogniser = {
    feed: () => (fed += 1),
    onHeard: () => () => undefined,
    close: () => undefined,
  };
  return { ear: new Ear(caller, recogniser), far: agent, fed: () => fed };
}

describe('the ear', () => {
  it('keeps time with the clock while nothing arrives', async () => {
    const { ear, fed } = earOn();
    const inTime = () => Math.abs(fed() * 20 - ear.now()) < 250;
    await expect.poll(() => fed() > 40 && inTime()).toBe(true);
    ear.close();
  });

  it('finds where voice begins and ends, pauses between words included', async () => {
    const { ear, far } = earOn();
    const word = new Int16Array(FRAME_SAMPLES * 10).fill(4000);
    await far.play(word);
    await pause(100, never);
    await far.play(word);
    await within(5000, 'silence', (wait) => ear.quiet(400, wait), never);
    expect(ear.spans).toHaveLength(1);
    const [span] = ear.spans;
    expect((span?.endedAt ?? 0) - (span?.startedAt ?? 0)).toBeGreaterThanOrEqual(400);
    ear.close();
  });

  it('leaves the sound of a line as it is, and puts its time right in the silence after it', async () => {
    const { ear, far, fed } = earOn();
    await expect.poll(fed).toBeGreaterThan(20);
    const before = fed();
    const startedAt = ear.now();
    await far.play(new Int16Array(FRAME_SAMPLES * 20).fill(4000));
    expect(fed() - before).toBeGreaterThanOrEqual(20);
    const [span] = ear.spans;
    expect((span?.endedAt ?? 0) - (span?.startedAt ?? 0)).toBe(400);
    expect(Math.abs((span?.startedAt ?? 0) - startedAt)).toBeLessThan(60);
    ear.close();
  });

  it('hears out a line that ended with the call, without waiting for silence', async () => {
    const { ear, far, fed } = earOn();
    const before = fed();
    await far.hangUp();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fed() - before).toBeGreaterThanOrEqual(40);
    ear.close();
  });

  it('takes a click for no voice', async () => {
    const { ear, far } = earOn();
    await far.play(LOUD);
    const waiting = within(600, 'voice', (wait) => ear.voiceAfter(0, wait), never);
    await expect(waiting).rejects.toThrow('waited 600 ms for voice');
    await expect(waiting).rejects.toBeInstanceOf(WaitedTooLong);
    ear.close();
  });

  it('tells where the voice in a sound lies', () => {
    const sound = new Int16Array(FRAME_SAMPLES * 10);
    sound.fill(4000, FRAME_SAMPLES * 3, FRAME_SAMPLES * 7);
    expect(voiceOf(sound)).toEqual({ startedAt: 60, endedAt: 140 });
    expect(voiceOf(new Int16Array(FRAME_SAMPLES))).toBeUndefined();
  });
});
