import type { Faults } from './faults.ts';
import type { KnownLines } from './known-lines.ts';
import type { Pace } from './pace.ts';
import type { Script } from './script.ts';
import type { Served } from './served.ts';
import type { Speech } from './speech.ts';
import type { VendorDiary } from './vendor-diary.ts';

/** What the vendors' stand-ins are made of. */
export type VendorDeps = {
  speech: Speech;
  script: Script;
  faults: Faults;
  served: Served;
  /** Lines that callers speak: what the STT's stand-in can hear. */
  callerLines: KnownLines;
  /** Lines that agents speak: the TTS's stand-in adds each that it makes, so that callers can hear it. */
  agentLines: KnownLines;
  pace: Pace;
  /** Takes when each did what. */
  diary: VendorDiary;
};
