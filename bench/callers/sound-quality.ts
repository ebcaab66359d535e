/** How the agent's sound arrived at one caller. */
export type SoundQuality = {
  samples: number;
  /** Samples that did not arrive in time and were made up, not counting those made up within silence. */
  madeUp: number;
  /** How long frames waited on average for those that were late (the jitter buffer), ms. */
  heldBackMs: number;
  /** Variation of the packets' delay (RFC 3550), ms. */
  jitterMs: number;
};

/** As much of WebRTC's statistics as is looked at; its counters are bigints. */
type Stats = {
  stats: {
    case?: string | undefined;
    value?: object | undefined;
  };
};

type Inbound = {
  received?: { jitter?: number };
  inbound?: {
    totalSamplesReceived?: bigint;
    concealedSamples?: bigint;
    silentConcealedSamples?: bigint;
    jitterBufferDelay?: number;
    jitterBufferEmittedCount?: bigint;
  };
};

/** Of WebRTC's statistics (https://www.w3.org/TR/webrtc-stats/, inbound-rtp), those of the stream with most sound. */
export function soundQuality(stats: readonly Stats[]): SoundQuality | undefined {
  const streams = stats
    .filter((entry) => entry.stats.case === 'inboundRtp')
    .map((entry) => qualityOf(entry.stats.value as Inbound));
  return streams.toSorted((a, b) => b.samples - a.samples)[0];
}

function qualityOf({ received, inbound }: Inbound): SoundQuality {
  const emitted = Number(inbound?.jitterBufferEmittedCount ?? 0);
  const heldSeconds = inbound?.jitterBufferDelay ?? 0;
  return {
    samples: Number(inbound?.totalSamplesReceived ?? 0),
    madeUp: Number((inbound?.concealedSamples ?? 0n) - (inbound?.silentConcealedSamples ?? 0n)),
    heldBackMs: emitted === 0 ? 0 : (heldSeconds / emitted) * 1000,
    jitterMs: (received?.jitter ?? 0) * 1000,
  };
}
