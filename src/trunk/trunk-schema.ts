import { isIP } from 'node:net';
import { z } from 'zod';
import { checkNumber } from '../call/phone-number.ts';
import { isDestination } from './destination.ts';
import { mediaEncryptions, trunkProviders, trunkTransports } from './trunk.ts';

const number = z.string().refine((text) => checkNumber(text).ok, {
  error: ({ input }) => {
    const check = checkNumber(String(input));
    return check.ok ? '' : check.reason;
  },
});

/** livekit-sip ignores an entry it cannot read, and with none left it lets everybody in: so no host names. */
const source = z
  .string()
  .refine(isAddressOrBlock, 'must be an IP address or a CIDR block, for example 203.0.113.0/24');

const host = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/,
    'must be host or host:port, without sip: or parameters',
  );

const transferHost = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)$/,
    'must be a host, without sip: and without a port, which may be any',
  )
  .transform((text) => text.toLowerCase());

/** The name of a variable in the environment or in .env, never the secret itself. */
const variable = z
  .string()
  .regex(
    /^(TRUNK|TWILIO)_[A-Z0-9_]+$/,
    'must be the name of an environment variable that begins with TRUNK_ or TWILIO_, not the secret itself',
  );

const credentials = z.strictObject({ username: variable, password: variable });

const destination = z
  .string()
  .refine(isDestination, 'must be a prefix such as +49, or a country such as DE');

/** One entry of trunks.yaml, as people write it. */
export const trunkEntrySchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,39}$/,
      'must be lower-case letters, digits and hyphens, 40 at most',
    ),
  provider: z.enum(trunkProviders),
  address: host.optional(),
  transport: z.enum(trunkTransports).optional(),
  media_encryption: z.enum(mediaEncryptions).optional(),
  credentials: credentials.optional(),
  inbound_credentials: credentials.optional(),
  numbers: z
    .array(z.strictObject({ number, personality: z.string().min(1).optional() }))
    .min(1, 'needs at least one number: it is the caller id, and what callers dial'),
  calls_per_second: z.number().positive().max(1000).optional(),
  concurrent_calls: z.number().int().positive().max(100_000).optional(),
  allowed_prefixes: z.array(destination).min(1).optional(),
  allowed_addresses: z.array(source).min(1).optional(),
  transfer_hosts: z.array(transferHost).min(1).optional(),
  twilio: z
    .strictObject({
      account_sid: variable.default('TWILIO_ACCOUNT_SID'),
      auth_token: variable.default('TWILIO_AUTH_TOKEN'),
      adopt: z
        .string()
        .regex(/^TK[0-9a-fA-F]{32}$/, 'must be the sid of an Elastic SIP trunk, TK…')
        .optional(),
    })
    .optional(),
});

export type TrunkEntry = z.output<typeof trunkEntrySchema>;

function isAddressOrBlock(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
