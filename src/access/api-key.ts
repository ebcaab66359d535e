import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MARK = 'tl_';
const SECRET_BYTES = 32;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** As many digits as 256 bits need, and 32 bits. */
const SECRET_DIGITS = 43;
const CHECK_DIGITS = 6;
const PREFIX_LENGTH = 10;
const FORM = new RegExp(`^${MARK}[0-9A-Za-z]{${SECRET_DIGITS + CHECK_DIGITS}}$`);

/**
 * A new key: `tl_`, 256 random bits and their CRC-32, in base 62. The mark lets scanners of secrets find a key that
 * leaked, the checksum lets a mistyped one be told from a stranger's without a look into the database.
 */
export function newApiKey(): string {
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_DIGITS);
  return `${MARK}${secret}${checkOf(secret)}`;
}

/** Whether a text can be a key that was made here. */
export function isApiKey(text: string): boolean {
  if (!FORM.test(text)) return false;
  const secret = text.slice(MARK.length, MARK.length + SECRET_DIGITS);
  return text.endsWith(checkOf(secret));
}

/** The characters by which people tell keys apart: 41 of the 256 bits. */
export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}

/** All that is kept of a key. Nobody can try out 256 random bits, so a fast hash without salt is enough. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function checkOf(secret: string): string {
  return base62(BigInt(crc32(secret)), CHECK_DIGITS);
}

function base62(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value; text.length < digits; rest /= 62n) {
    text = `${DIGITS.charAt(Number(rest % 62n))}${text}`;
  }
  return text;
}
