import { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/max';

export type NumberCheck =
  | { ok: true; e164: string; country: string | undefined; warning: string | undefined }
  | { ok: false; reason: string };

const EXAMPLE = 'for example +12025550123';

/**
 * Checks a number as E.164 (ITU-T E.164): it must begin with + and be possible, that is, have a known
 * country code and a length that the country uses. One that is possible but not assigned draws a warning.
 */
export function checkNumber(text: string): NumberCheck {
  const compact = text.replace(/[\s().-]/g, '');
  if (!compact.startsWith('+')) {
    return { ok: false, reason: `a number must begin with + and its country code, ${EXAMPLE}` };
  }
  if (!/^\+\d+$/.test(compact)) {
    return { ok: false, reason: `a number has only digits after the +, ${EXAMPLE}` };
  }
  const length = validatePhoneNumberLength(compact);
  if (length !== undefined) return { ok: false, reason: `${lengthProblems[length]}, ${EXAMPLE}` };
  const number = parsePhoneNumberFromString(compact);
  if (!number?.isPossible()) {
    return { ok: false, reason: `no such number can exist in its country, ${EXAMPLE}` };
  }
  const warning = number.isValid()
    ? undefined
    : 'the number is possible but not assigned to anybody';
  return { ok: true, e164: number.number, country: number.country, warning };
}

const lengthProblems = {
  INVALID_COUNTRY: 'the country code is unknown',
  NOT_A_NUMBER: 'this is not a telephone number',
  TOO_SHORT: 'the number is too short',
  TOO_LONG: 'the number is too long',
  INVALID_LENGTH: 'no number of its country has this length',
} as const;
