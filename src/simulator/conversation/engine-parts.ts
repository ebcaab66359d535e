import type { Log } from '../../platform/log.ts';
import type { Faults } from '../faults.ts';
import type { KnownLines } from '../known-lines.ts';
import type { Pace } from '../pace.ts';
import type { Script } from '../script.ts';
import type { Speech } from '../speech.ts';
import type { VendorDiary } from '../vendor-diary.ts';
import type { LedgerClient } from './ledger-client.ts';
import type { Telephony } from './telephony.ts';

/** What conversations are made of. */
export type EngineParts = {
  speech: Speech;
  /** Lines that the agent speaks: what the caller's ear knows. */
  agentLines: KnownLines;
  /** Lines that callers speak: what the stand-in of the STT knows. */
  callerLines: KnownLines;
  /** What the stand-in of the LLM answers. */
  script: Script;
  faults: Faults;
  pace: Pace;
  /** When the stand-ins did what. */
  diary: VendorDiary;
  telephony: Telephony;
  ledger: LedgerClient;
  log: Log;
};
