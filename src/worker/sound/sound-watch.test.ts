import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SoundSample } from './sound-sample.ts';
import { SoundWatch, SOUND_TIMES } from './sound-watch.ts';

describe('SoundWatch', () => {
  const told = vi.fn<(what: string) => void>();
  let flows: { caller: boolean; agent: boolean };
  let sample: SoundSample | undefined;
  let watch: SoundWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    flows = { caller: true, agent: true };
    sample = { packetsIn: 0, energyOut: 0 };
    watch = new SoundWatch({
      sample: async () => sample && { ...sample },
      onMute: (side) => told(`${side} mute`),
      onCallerDead: () => told('caller dead'),
      onAgentDead: () => told('agent dead'),
      clock: () => Date.now(),
    });
    watch.begin();
  });

  afterEach(() => {
    watch.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.clearAllMocks();
  });

  /** Lets time pass, while sound goes as `flows` says. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await vi.advanceTimersByTimeAsync(500);
      if (sample && flows.caller) sample.packetsIn += 25;
      if (sample && flows.agent) sample.energyOut += 0.01;
    }
  }

  async function speak(ms: number): Promise<void> {
    watch.agentState('speaking');
    await pass(ms);
    watch.agentState('listening');
  }

  const told15s = SOUND_TIMES.callerToldMs + 2 * SOUND_TIMES.lookMs;

  it('has nothing to say of an hour in which both are heard, or the agent is silent', async () => {
    for (let minute = 0; minute < 60; minute += 1) {
      flows.agent = true;
      await speak(20_000);
      flows.agent = false;
      await pass(40_000);
    }
    expect(told).not.toHaveBeenCalled();
  });

  it('tells of a far end from which nothing comes, and again only when something came', async () => {
    flows.caller = false;
    await pass(told15s);
    await pass(told15s);
    expect(told.mock.calls).toEqual([['caller mute']]);
    expect(watch.callerMute).toBe(true);
    flows.caller = true;
    await pass(5000);
    expect(watch.callerMute).toBe(false);
    flows.caller = false;
    await pass(told15s);
    expect(told.mock.calls).toEqual([['caller mute'], ['caller mute']]);
  });

  it('ends no call on hold, and one that has been mute for minutes', async () => {
    flows.caller = false;
    await pass(SOUND_TIMES.callerEndMs - 10_000);
    expect(told.mock.calls).toEqual([['caller mute']]);
    await pass(15_000);
    expect(told).toHaveBeenLastCalledWith('caller dead');
  });

  it('expects nothing of a far end that may be with somebody else', async () => {
    flows.caller = false;
    watch.pause(true);
    await pass(SOUND_TIMES.callerEndMs);
    watch.pause(false);
    await pass(5000);
    expect(told).not.toHaveBeenCalled();
  });

  it('tells of an agent that speaks without a sound, and ends the call if it goes on', async () => {
    flows.agent = false;
    await speak(SOUND_TIMES.agentToldMs + SOUND_TIMES.lookMs);
    expect(told.mock.calls).toEqual([['agent mute']]);
    await speak(SOUND_TIMES.agentEndMs);
    expect(told).toHaveBeenLastCalledWith('agent dead');
  });

  it('adds up short sentences without a sound, and forgets them at the first that is heard', async () => {
    flows.agent = false;
    await speak(2000);
    await pass(20_000);
    expect(told).not.toHaveBeenCalled();
    flows.agent = true;
    await speak(2000);
    await pass(SOUND_TIMES.lookMs);
    flows.agent = false;
    await pass(SOUND_TIMES.lookMs);
    await speak(2000);
    await pass(20_000);
    expect(told).not.toHaveBeenCalled();
    await speak(2500);
    await pass(5000);
    expect(told.mock.calls).toEqual([['agent mute']]);
  });

  it('learns nothing while there is no connection, and does not take a new one for silence', async () => {
    sample = undefined;
    await speak(SOUND_TIMES.callerEndMs);
    sample = { packetsIn: 0, energyOut: 0 };
    await speak(60_000);
    expect(told).not.toHaveBeenCalled();
  });
});
