import { ServerError, SipCallError } from 'livekit-server-sdk';
import { describe, expect, test } from 'vitest';
import { CANCELED } from '../call/operator-ends.ts';
import { classifyDialError, type DialKnowledge } from './dial-error.ts';

const silent: DialKnowledge = { rang: false, brokenOff: false, intent: undefined };
const rang: DialKnowledge = { ...silent, rang: true };

function refused(status: number): SipCallError {
  const metadata = { sip_status_code: String(status), sip_status: 'Refused' };
  return new SipCallError('SipCallError', 'refused', 412, 'failed_precondition', metadata);
}

function answer(code: string, text: string): ServerError {
  return new ServerError('Error', `twirp error unknown: ${text}`, 412, code);
}

function outcomeOf(error: Error, known: DialKnowledge = silent): string {
  const failure = classifyDialError(error, known);
  return failure.kind === 'unknown' ? 'unknown' : `${failure.kind} ${failure.end.outcome}`;
}

describe('the far end refused', () => {
  test.each([
    [486, 'busy'],
    [600, 'busy'],
    [480, 'no_answer'],
    [408, 'no_answer'],
    [487, 'no_answer'],
    [404, 'invalid_number'],
    [484, 'invalid_number'],
    [604, 'invalid_number'],
    [603, 'rejected'],
    [403, 'failed'],
    [488, 'failed'],
    [503, 'failed'],
  ])('with %i: %s', (status, outcome) => {
    const failure = classifyDialError(refused(status), silent);
    expect(failure).toMatchObject({ kind: 'ended', end: { outcome, sipStatus: status } });
  });

  test('with 401 or 407, which come as text only: our credentials', () => {
    for (const text of [
      'sip server required auth, but no username or password was provided',
      'max auth retry attempts reached for SIP invite',
    ]) {
      expect(classifyDialError(answer('failed_precondition', text), silent)).toMatchObject({
        kind: 'ended',
        end: { outcome: 'failed', sipStatus: 407 },
      });
    }
  });
});

describe('nobody answered', () => {
  const timeout = answer('canceled', 'sip request timed out');

  test('a phone that rang is no answer', () => {
    expect(outcomeOf(timeout, rang)).toBe('ended no_answer');
  });

  test('a trunk that did not even ring has failed', () => {
    expect(outcomeOf(timeout, silent)).toBe('ended failed');
    const silence = answer('canceled', 'transaction failed to complete (0 intermediate responses)');
    expect(outcomeOf(silence, silent)).toBe('ended failed');
  });

  test('a call that somebody broke off well before the ring time-out is not said to be unanswered', () => {
    expect(outcomeOf(timeout, { ...rang, brokenOff: true })).toBe('ended failed');
  });

  test('what we meant to do ourselves is what happened, whatever the error says', () => {
    const known = { ...rang, intent: CANCELED };
    expect(classifyDialError(timeout, known)).toEqual({ kind: 'ended', end: CANCELED });
  });
});

test('a service that refuses before any INVITE may be asked again', () => {
  expect(outcomeOf(answer('unavailable', 'cpu exhausted'))).toBe('refused failed');
  expect(outcomeOf(answer('unavailable', 'no response from servers'))).toBe('refused failed');
});

test('a trunk that cannot be reached is an end that names it', () => {
  expect(outcomeOf(answer('invalid_argument', 'fail to resolve target for "x"'))).toBe(
    'ended failed',
  );
  expect(
    outcomeOf(answer('failed_precondition', 'transport<TCP> dial err=dial tcp: refused')),
  ).toBe('ended failed');
});

test('an error that does not tell whether the INVITE left is unknown', () => {
  expect(outcomeOf(new TypeError('fetch failed'))).toBe('unknown');
  expect(outcomeOf(new DOMException('timed out', 'TimeoutError'))).toBe('unknown');
  expect(outcomeOf(answer('unavailable', 'request timed out'))).toBe('unknown');
  expect(outcomeOf(answer('internal', 'something'))).toBe('unknown');
});
