import { z } from 'zod';

const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds of a time as people write it (`1h30m`, `10m`, `90s`, `250ms`), or undefined. */
export function parseDuration(text: string): number | undefined {
  const match = text === '' ? null : DURATION.exec(text);
  if (!match) return undefined;
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/** Schema of a time with its unit, within limits written the same way; its output is milliseconds. */
export function duration(least: string, most: string) {
  const [min = 0, max = Infinity] = [parseDuration(least), parseDuration(most)];
  return z
    .string({ error: 'must be a time with its unit, for example 10m, 90s or 250ms' })
    .regex(DURATION, 'must be a time with its unit, for example 10m, 90s or 250ms')
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .refine((ms) => ms >= min && ms <= max, `must be between ${least} and ${most}`);
}
