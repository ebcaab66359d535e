import { OperatorError } from '../../../platform/errors.ts';

const UNITS_MS = { h: 60 * 60_000, d: 24 * 60 * 60_000, w: 7 * 24 * 60 * 60_000 } as const;

/**
 * When a key expires: `12h`, `90d` or `8w` from now, or a date with or without its time, in UTC unless it says else.
 *
 * @throws OperatorError where it is neither
 */
export function expiryOf(text: string, now: number = Date.now()): string {
  const [, count = '', unit = ''] = /^(\d{1,4})([hdw])$/.exec(text) ?? [];
  if (unit !== '') {
    return new Date(now + Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]).toISOString();
  }
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const zoned = /T/.test(text) && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? `${text}Z` : text;
  const date = isDate ? new Date(zoned) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new OperatorError(`--expires ${text} is no time.`, {
    remedy: 'Give hours, days or weeks from now (12h, 90d, 8w), or a date (2027-06-30).',
  });
}
