import type { Log } from '../../platform/log.ts';
import type { KnownLines } from '../known-lines.ts';
import type { Speech } from '../speech.ts';
import type { LedgerClient } from './ledger-client.ts';
import type { VendorFaults } from './schema.ts';
import type { Telephony } from './telephony.ts';

/** A turn of a conversation, as the stand-in of the LLM must know it. */
export type ScriptedTurn =
  | { caller: string }
  | {
      agent: string | undefined;
      tool: { name: string; arguments: Record<string, unknown> } | undefined;
    };

/** What conversations are made of. */
export type EngineParts = {
  speech: Speech;
  /** Lines that the agent speaks: what the caller's ear knows. */
  agentLines: KnownLines;
  /** Lines that callers speak: what the stand-in of the STT knows. */
  callerLines: KnownLines;
  telephony: Telephony;
  ledger: LedgerClient;
  /** Tells the stand-in of the LLM what to answer in a conversation; returns what makes it forget. */
  script: (turns: ScriptedTurn[]) => () => void;
  /** Sets the vendors' faults; returns what mends them. */
  breakVendors: (faults: VendorFaults) => () => void;
  log: Log;
};
