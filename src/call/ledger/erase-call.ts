import { eq, type SQL } from 'drizzle-orm';
import { maskNumbers } from '../../platform/mask.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { callEvents, calls, idempotencyKeys, turns, type CallRow } from './schema.ts';

export type Erasure =
  | {
      kind: 'erased';
      /** As it was before: what else there is of it is found by this. */
      call: CallRow;
      /** It had been erased before. */
      again: boolean;
    }
  | { kind: 'not_ended'; call: CallRow }
  | { kind: 'unknown' };

/** What else must be written in the transaction of the erasure. */
export type AlongsideErasure = (
  rows: WorkspaceRows,
  erased: { call: CallRow; again: boolean },
) => Promise<void>;

/** What a repeated request is told of a call that was erased. */
export const ERASED_MESSAGE =
  'The call was accepted; what was known of the person has been erased.';

/**
 * Removes what the ledger knows of the person, and keeps the shell of the call: when, how long, over which trunk,
 * by whom, with what outcome. The recording stays named until its file is gone (`forgetRecording`).
 */
export async function eraseCall(
  rows: WorkspaceRows,
  where: SQL,
  alongside: AlongsideErasure,
): Promise<Erasure> {
  return rows.transaction(async (within) => {
    // The lock that writers of events take too: they see the call either whole or erased.
    const [call] = await within.select(calls, { where, forUpdate: true });
    if (!call) return { kind: 'unknown' };
    if (call.status !== 'ended') return { kind: 'not_ended', call };
    const again = call.erasedAt !== null;
    await within.update(calls, shellOf(call), eq(calls.id, call.id));
    await within.update(turns, { text: '' }, eq(turns.callId, call.id));
    await within.update(callEvents, { data: {} }, eq(callEvents.callId, call.id));
    // The key stays: a repeated request must not call again.
    await within.update(
      idempotencyKeys,
      { publicId: call.id, message: ERASED_MESSAGE },
      eq(idempotencyKeys.callId, call.id),
    );
    await alongside(within, { call, again });
    return { kind: 'erased', call, again };
  });
}

function shellOf(call: CallRow): Partial<CallRow> {
  return {
    publicId: null,
    from: null,
    to: null,
    sipCallId: null,
    variables: null,
    metadata: null,
    request: null,
    reason: withoutNumbers(call.reason),
    erasedAt: call.erasedAt ?? new Date(),
  };
}

/** A reason is a sentence of ours; only what a configuration holds could bring a number into it. */
function withoutNumbers(reason: string | null): string | null {
  return reason === null || maskNumbers(reason) === reason ? reason : null;
}
