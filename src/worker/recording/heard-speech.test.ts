import { initializeLogger, voice } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { HeardSpeech } from './heard-speech.ts';

const RATE = 24_000;

beforeAll(() => initializeLogger({ pretty: false, level: 'silent' }));

/** An output whose playing the test reports, as the framework's output to a room does. */
class Output extends voice.AudioOutput {
  /** Frames wait for it. */
  gate: Promise<void> = Promise.resolve();

  override async captureFrame(frame: AudioFrame): Promise<void> {
    await super.captureFrame(frame);
    await this.gate;
  }

  clearBuffer(): void {
    return undefined;
  }
}

/** An output that is listened to, on a clock that the test sets. */
function listening() {
  const output = new Output(RATE);
  const told: (['sounds', number, number] | ['cut', number])[] = [];
  let now = 1000;
  const speech = new HeardSpeech(
    output,
    {
      sounds: (at, sound) => told.push(['sounds', at, sound.length / 8]),
      cut: (from) => told.push(['cut', from]),
    },
    () => now,
  );
  const say = async (ms: number) => {
    const samples = (RATE / 1000) * ms;
    await output.captureFrame(new AudioFrame(new Int16Array(samples).fill(9000), RATE, 1, samples));
  };
  /** Where the sound lies that was told of. */
  const span = (): [number, number] => {
    const sounds = told.filter((one) => one[0] === 'sounds');
    const begins = Math.min(...sounds.map(([, at]) => at));
    const ends = Math.max(...sounds.map(([, at, ms]) => at + ms));
    return [begins, ends];
  };
  return { output, speech, told, say, span, set: (at: number) => (now = at) };
}

describe('HeardSpeech', () => {
  it('places frames one after the other from the moment the first one leaves', async () => {
    const { speech, say, span, set } = listening();
    await say(100);
    set(1010);
    await say(100);
    set(1150);
    await say(100);
    speech.close();
    const [begins, ends] = span();
    expect(begins).toBe(1000);
    expect(ends).toBeGreaterThan(1295);
    expect(ends).toBeLessThan(1305);
  });

  it('begins anew where the agent had fallen silent', async () => {
    const { speech, told, say, set } = listening();
    await say(100);
    set(3000);
    await say(100);
    speech.close();
    const starts = told.flatMap(([kind, at]) => (kind === 'sounds' ? [at] : []));
    expect(starts.filter((at) => at > 1100 && at < 3000)).toEqual([]);
    expect(starts.some((at) => at >= 3000)).toBe(true);
  });

  it('takes back what an interruption kept from sounding', async () => {
    const { output, speech, told, say, set } = listening();
    await say(200);
    await say(200);
    set(1150);
    output.onPlaybackProgressed({ startedAt: Date.now() - 150, offset: 0, duration: 150 });
    output.onPlaybackFinished({ playbackPosition: 0.15, interrupted: true });
    const cuts = told.filter(([kind]) => kind === 'cut');
    expect(cuts).toHaveLength(1);
    expect(cuts[0]?.[1]).toBeGreaterThan(1145);
    expect(cuts[0]?.[1]).toBeLessThanOrEqual(1151);
    // What follows on a cut begins where it begins, not where the cut sound would have ended.
    set(1200);
    await say(100);
    speech.close();
    expect(told.some(([kind, at]) => kind === 'sounds' && at === 1200)).toBe(true);
  });

  it('leaves alone what has sounded to its end', async () => {
    const { output, told, say, set } = listening();
    await say(200);
    set(1205);
    output.onPlaybackProgressed({ startedAt: Date.now() - 205, offset: 0, duration: 200 });
    output.onPlaybackFinished({ playbackPosition: 0.2, interrupted: false });
    expect(told.filter(([kind]) => kind === 'cut')).toEqual([]);
  });

  it('does not count a frame that waited while the agent was broken off', async () => {
    const { output, told, say } = listening();
    const gate = Promise.withResolvers<void>();
    output.gate = gate.promise;
    const waiting = say(100);
    output.onPlaybackFinished({ playbackPosition: 0, interrupted: true });
    gate.resolve();
    await waiting;
    expect(told).toEqual([]);
  });

  it('leaves the output as it was', async () => {
    const { output, speech } = listening();
    speech.close();
    expect(Object.hasOwn(output, 'captureFrame')).toBe(false);
    expect(output.eventNames()).toEqual([]);
  });
});
