import { describe, expect, it } from 'vitest';
import { soundQuality } from './sound-quality.ts';

describe('how sound arrived', () => {
  const stream = (samples: bigint) => ({
    stats: {
      case: 'inboundRtp',
      value: {
        received: { jitter: 0.004 },
        inbound: {
          totalSamplesReceived: samples,
          concealedSamples: 700n,
          silentConcealedSamples: 200n,
          jitterBufferDelay: 96,
          jitterBufferEmittedCount: 1200n,
        },
      },
    },
  });

  it('tells what was made up outside of silence, and how long frames were held back', () => {
    expect(soundQuality([stream(48_000n)])).toEqual({
      samples: 48_000,
      madeUp: 500,
      heldBackMs: 80,
      jitterMs: 4,
    });
  });

  it('is that of the stream with most sound', () => {
    expect(soundQuality([stream(10n), stream(500n)])?.samples).toBe(500);
  });

  it('is unknown where nothing came', () => {
    expect(soundQuality([{ stats: { case: 'codec', value: {} } }])).toBeUndefined();
  });
});
