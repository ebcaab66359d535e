import { z } from 'zod';

/** Address of a vendor's server, where it is not the vendor's own. */
export const baseUrl = z.url({ protocol: /^(https?|wss?)$/ }).optional();

/** Name of the environment variable that holds a key: keys never stand in a personality. */
export const keyVariable = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, {
    // Or a key that somebody wrote here would be repeated as the name of a variable that is not set.
    abort: true,
    error: 'must be the name of an environment variable, not the key itself',
  })
  .optional();
