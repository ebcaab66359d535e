import type { Credentials } from './digest.ts';

/** What the simulated phone does when it is called. Times in ms from the arrival of the INVITE. */
export type Behaviour =
  /** Rings, unless `rings` is false, and picks up. */
  | {
      kind: 'answer';
      afterMs: number;
      rings?: boolean;
      /** Hangs up so long after the answer; absent: whoever claims the call decides. */
      hangUpAfterMs?: number;
      /** Asks for these credentials first, by a 407 (RFC 3261, section 22.3). */
      credentials?: Credentials;
      /** Final status that a REFER of this call ends with, in its NOTIFY; absent: 200. */
      referStatus?: number;
    }
  /** Rings until the caller gives up. */
  | { kind: 'ring' }
  /** Never says a word, as a trunk that does not exist. */
  | { kind: 'silent' }
  /** Refuses with a final status, 300 to 699, after ringing where `afterMs` is set. */
  | { kind: 'refuse'; status: number; afterMs?: number }
  /** Asks for credentials, and for others again, whatever comes. */
  | { kind: 'challenge'; status: 401 | 407 };

const ANSWER: Behaviour = { kind: 'answer', afterMs: 300 };

/**
 * The numbers of the simulated phone: +1 202 555 01xx, which are reserved for fiction. Where the status is a
 * SIP status, the last two digits are like its own.
 *
 * | number        | what happens                                                        |
 * | ------------- | ------------------------------------------------------------------- |
 * | 0100 … 0149   | rings, answers after 300 ms (but for those that are named below)    |
 * | 0101          | 401 whatever the credentials                                        |
 * | 0103          | 403 forbidden                                                       |
 * | 0104          | 404 no such number                                                  |
 * | 0107          | 407 whatever the credentials                                        |
 * | 0150, 0153    | 500 trunk broken, 503 trunk overloaded                              |
 * | 0154          | 504 time-out behind the trunk                                       |
 * | 0160          | 600 busy everywhere                                                 |
 * | 0163          | rings, then 603 declined after 1 s                                  |
 * | 0164          | 604 exists nowhere                                                  |
 * | 0170          | answers, hangs up after 1 s                                         |
 * | 0171          | answers at once, without ringing                                    |
 * | 0172          | answers; a REFER (blind transfer) ends with 486                     |
 * | 0173          | answers; a REFER ends with 603                                      |
 * | 0179          | rings, then 480 after 2 s, as where nobody picks up                 |
 * | 0180          | rings for ever                                                      |
 * | 0181          | rings, answers after 6 s                                            |
 * | 0184          | 484 address incomplete                                              |
 * | 0185          | 480 not available                                                   |
 * | 0186          | 486 busy                                                            |
 * | 0187          | silence: nothing ever comes back                                    |
 * | 0188          | 488 no codec in common                                              |
 * | any other     | 404                                                                 |
 */
const TABLE: Readonly<Record<string, Behaviour>> = {
  '01': { kind: 'challenge', status: 401 },
  '03': { kind: 'refuse', status: 403 },
  '04': { kind: 'refuse', status: 404 },
  '07': { kind: 'challenge', status: 407 },
  '50': { kind: 'refuse', status: 500 },
  '53': { kind: 'refuse', status: 503 },
  '54': { kind: 'refuse', status: 504 },
  '60': { kind: 'refuse', status: 600 },
  '63': { kind: 'refuse', status: 603, afterMs: 1000 },
  '64': { kind: 'refuse', status: 604 },
  '70': { kind: 'answer', afterMs: 300, hangUpAfterMs: 1000 },
  '71': { kind: 'answer', afterMs: 0, rings: false },
  '72': { kind: 'answer', afterMs: 300, referStatus: 486 },
  '73': { kind: 'answer', afterMs: 300, referStatus: 603 },
  '79': { kind: 'refuse', status: 480, afterMs: 2000 },
  '80': { kind: 'ring' },
  '81': { kind: 'answer', afterMs: 6000 },
  '84': { kind: 'refuse', status: 484 },
  '85': { kind: 'refuse', status: 480 },
  '86': { kind: 'refuse', status: 486 },
  '87': { kind: 'silent' },
  '88': { kind: 'refuse', status: 488 },
};

/** What the phone does when this number is dialled and nobody has said otherwise. */
export function behaviourOf(number: string): Behaviour {
  const line = /^\+?120255501(\d\d)$/.exec(number)?.[1];
  if (line === undefined) return { kind: 'refuse', status: 404 };
  const named = TABLE[line];
  if (named) return named;
  return line < '50' ? ANSWER : { kind: 'refuse', status: 404 };
}
