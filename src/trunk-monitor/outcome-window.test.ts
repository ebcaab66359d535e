import { expect, it } from 'vitest';
import { callEvent, type CallEventOf } from '../call/call-event.ts';
import { newCallId } from '../call/call-id.ts';
import { OutcomeWindow } from './outcome-window.ts';

type End = Partial<CallEventOf<'call.ended'>['data']> & { rang?: boolean };

function windowOf(ends: readonly End[], trunk = 'office'): OutcomeWindow {
  const window = new OutcomeWindow();
  for (const { rang, ...end } of ends) {
    const call = newCallId();
    window.add(callEvent('call.dialing', call, { trunk, attempt: 1 }));
    if (rang === true) window.add(callEvent('call.ringing', call, {}));
    window.add(
      callEvent('call.ended', call, { outcome: 'failed', reason: '', hungUpBy: 'system', ...end }),
    );
  }
  return window;
}

const complaint = (ends: readonly End[]) => windowOf(ends).complaint('office', Date.now());
const completed: End = { outcome: 'completed' };

it('complains of a trunk over which most calls fail, and says how', () => {
  expect(complaint([{ sipStatus: 503 }, { sipStatus: 503 }, { sipStatus: 403 }, completed])).toBe(
    '3 of the last 4 calls failed (SIP status 503, 403)',
  );
});

it('does not complain where half of the calls succeed, or too few were made', () => {
  expect(complaint([{ sipStatus: 503 }, { sipStatus: 503 }, completed, completed])).toBeUndefined();
  expect(complaint([{ sipStatus: 503 }, { sipStatus: 503 }])).toBeUndefined();
});

it('does not blame the trunk for a callee who is busy, away, or lets it ring', () => {
  const callee: End[] = [{ sipStatus: 486 }, { sipStatus: 480 }, { sipStatus: 408, rang: true }];
  expect(complaint(callee)).toBeUndefined();
});

it('blames a trunk that does not even ring', () => {
  expect(complaint([{ sipStatus: 408 }, { sipStatus: 408 }, { sipStatus: 408 }])).toMatch(/^3 of/);
});

it('does not count calls that we ended ourselves', () => {
  const ours: End[] = [
    { outcome: 'canceled', sipStatus: 503 },
    { outcome: 'blocked', sipStatus: 503 },
  ];
  expect(complaint([...ours, { sipStatus: 503 }])).toBeUndefined();
});

it('forgets after ten minutes', () => {
  const window = windowOf([{ sipStatus: 503 }, { sipStatus: 503 }, { sipStatus: 503 }]);
  expect(window.complaint('office', Date.now() + 11 * 60_000)).toBeUndefined();
  expect(window.complaint('other', Date.now())).toBeUndefined();
});
