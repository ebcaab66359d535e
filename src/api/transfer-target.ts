import { checkNumber } from '../call/phone-number.ts';
import { permits } from '../trunk/destination.ts';
import { isLocal, type Trunk } from '../trunk/trunk.ts';
import { ApiProblem, invalidField } from './problem.ts';

/** Without parameters and headers: they could say things to the carrier that nobody here has checked. */
const SIP_URI =
  /^sips?:[\w.+~!*'()-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:\d{1,5})?$/;

/**
 * The URI for the REFER of a call over this trunk: tel: of a number (RFC 3966), or a sip: URI at a host that the
 * trunk permits.
 *
 * @param trunk undefined where trunks.yaml has it no more
 * @throws ApiProblem
 */
export function transferTarget(to: string, trunk: Trunk | undefined): string {
  if (!trunk) {
    throw new ApiProblem('not-permitted', "The call's trunk is not in trunks.yaml any more.");
  }
  return /^sips?:/i.test(to) ? sipTarget(to, trunk) : numberTarget(to, trunk);
}

function sipTarget(to: string, trunk: Trunk): string {
  const host = SIP_URI.exec(to)?.[1]?.toLowerCase();
  if (host === undefined) {
    throw invalidField('to', 'must be sip:user@host or sip:user@host:port, without parameters');
  }
  const permitted = trunk.transferHosts ?? [];
  if (permitted.includes(host)) return to;
  const hosts = permitted.join(', ');
  throw new ApiProblem(
    'not-permitted',
    hosts === ''
      ? `The trunk ${trunk.name} permits numbers only; \`transfer_hosts\` in trunks.yaml names hosts for sip: URIs.`
      : `The trunk ${trunk.name} permits sip: URIs only at ${hosts}.`,
  );
}

function numberTarget(to: string, trunk: Trunk): string {
  const check = checkNumber(to);
  // Calls that stay on our own machines may go to any digits.
  const loose = isLocal(trunk) && /^\+?\d{1,15}$/.test(to);
  if (!check.ok && !loose) {
    throw new ApiProblem('impossible-number', `to: ${check.reason}.`, {
      errors: [{ field: 'to', reason: check.reason }],
    });
  }
  const number = check.ok ? check.e164 : to;
  if (permits(trunk.allowedPrefixes, number)) return `tel:${number}`;
  throw new ApiProblem(
    'not-permitted',
    `The trunk ${trunk.name} permits only destinations in ${trunk.allowedPrefixes.join(', ')}.`,
  );
}
