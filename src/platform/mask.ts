/** E.164 with its plus, or a bare run of digits as long as a telephone number; not part of a longer word or a fraction. */
const NUMBER = /(?<![\da-zA-Z.])(?:\+\d{7,15}|\d{10,15})(?![\da-zA-Z]|\.\d)|(?<=%2B)\d{7,15}/g;

/** A telephone number with all but its first and last two digits hidden: `+12*******23`. */
export function maskNumber(number: string): string {
  const plus = number.startsWith('+') ? '+' : '';
  const digits = number.slice(plus.length);
  if (digits.length < 5) return plus + '*'.repeat(digits.length);
  return `${plus}${digits.slice(0, 2)}${'*'.repeat(digits.length - 4)}${digits.slice(-2)}`;
}

/** Hides every telephone number in a text: the last safety net before anything is written down. */
export function maskNumbers(text: string): string {
  return text.replace(NUMBER, maskNumber);
}

/** A secret as it may be shown: nothing of it but that it is set. */
export function maskSecret(value: string): string {
  return value === '' ? '' : '********';
}
