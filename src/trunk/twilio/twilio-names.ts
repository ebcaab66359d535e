import { createHash, createHmac } from 'node:crypto';
import type { SipCredentials } from '../trunk.ts';

/**
 * Under which names our objects stand in a Twilio account. They are derived, so nothing of them needs to be
 * stored: any machine with the same account and trunk name finds what another one made.
 */
export function friendlyName(trunk: string): string {
  return `trunkline ${trunk}`;
}

/** The termination domain; unique among all customers of Twilio, since it holds a hash of the account. */
export function terminationDomain(accountSid: string, trunk: string): string {
  const hash = createHash('sha256').update(`${accountSid} ${trunk}`).digest('hex');
  return `trunkline-${hash.slice(0, 16)}.pstn.twilio.com`;
}

/** User names that we have given out for a trunk begin so. */
export function usernamePrefix(trunk: string): string {
  return `trunkline-${createHash('sha256').update(trunk).digest('hex').slice(0, 8)}-`;
}

/**
 * The credential that livekit-sip shows to Twilio. The password is an HMAC of the trunk's name under the
 * account's auth token: whoever has the token could make any password anyway, so it gives nothing away.
 * Twilio never shows a password, so the user name carries a fingerprint of it: after the token was rotated,
 * the name differs, and `ensure` sees that the credential must be replaced.
 */
export function derivedCredentials(
  accountSid: string,
  authToken: string,
  trunk: string,
): SipCredentials {
  const secret = createHmac('sha256', authToken)
    .update(`trunkline sip credential ${accountSid} ${trunk}`)
    .digest('base64url');
  // Twilio demands 12 characters with a digit, an upper-case and a lower-case letter.
  const password = `Tk1${secret.replace(/[-_]/g, '')}`;
  const fingerprint = createHash('sha256').update(password).digest('hex').slice(0, 8);
  return { username: `${usernamePrefix(trunk)}${fingerprint}`, password };
}
