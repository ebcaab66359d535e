import { SipCallError } from 'livekit-server-sdk';
import { expect, test } from 'vitest';
import { newCallId } from '../call/call-id.ts';
import { TRANSFERRED } from '../call/operator-ends.ts';
import { createLog } from '../platform/log.ts';
import { BlindTransfer } from './blind-transfer.ts';

const TARGET = 'tel:+12025550142';

/** A transfer whose REFER is answered by the test. */
function aTransfer() {
  const referred = Promise.withResolvers<void>();
  const told: unknown[] = [];
  const transfer = new BlindTransfer({
    call: newCallId(),
    sip: { transferSipParticipant: async () => referred.promise },
    room: 'room',
    phone: 'phone',
    journal: { write: (_type, data) => told.push(data) },
    onPause: (paused) => told.push(paused ? 'paused' : 'resumed'),
    onEnd: () => undefined,
    log: createLog('test', 'silent'),
  });
  return { transfer, referred, told };
}

function refusedWith(status: number): SipCallError {
  const metadata = { sip_status_code: String(status), sip_status: 'Refused' };
  return new SipCallError('SipCallError', `to ${TARGET}`, 412, 'failed_precondition', metadata);
}

test('one that the far end reports as done ends the call as transferred', async () => {
  const { transfer, referred, told } = aTransfer();
  const running = transfer.run(TARGET);
  referred.resolve();
  expect(await running).toEqual({ state: 'done' });
  expect(told).toEqual([
    { state: 'started', by: 'operator' },
    'paused',
    { state: 'completed', by: 'operator' },
  ]);
  expect(await transfer.endOfLeaving()).toEqual(TRANSFERRED);
  transfer.close();
});

test.each([
  [603, /declined/],
  [486, /busy/],
  [405, /knows no transfers/],
  [499, /refused/],
])(
  'one that is refused with %i resumes the conversation, with the status',
  async (status, says) => {
    const { transfer, referred, told } = aTransfer();
    const running = transfer.run(TARGET);
    referred.reject(refusedWith(status));
    const reason = expect.stringMatching(says);
    expect(await running).toEqual({
      state: 'refused',
      cause: 'far_end',
      sipStatus: status,
      reason,
    });
    expect(told.slice(2)).toEqual([
      { state: 'failed', by: 'operator', reason, sipStatus: status },
      'resumed',
    ]);
    expect(JSON.stringify(told)).not.toContain('2025550142');
    expect(await transfer.endOfLeaving()).toBeUndefined();
  },
);

test('a second one is refused while the first lasts, and may come after it failed', async () => {
  const { transfer, referred } = aTransfer();
  const first = transfer.run(TARGET);
  expect(await transfer.run(TARGET)).toMatchObject({ cause: 'busy' });
  referred.reject(new Error('deadline exceeded'));
  expect(await first).toMatchObject({ cause: 'far_end', reason: expect.stringMatching(/in time/) });
  expect(await transfer.run(TARGET)).toMatchObject({ cause: 'far_end' });
});

test('a phone that leaves before the result has come back counts as transferred', async () => {
  const { transfer, referred } = aTransfer();
  const running = transfer.run(TARGET);
  const end = transfer.endOfLeaving();
  referred.resolve();
  await running;
  expect(await end).toEqual(TRANSFERRED);
  transfer.close();
});

test('a phone that leaves without a transfer has just left', async () => {
  expect(await aTransfer().transfer.endOfLeaving()).toBeUndefined();
});
