import { getCountries, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';

/** Countries (ISO 3166-1 alpha-2) that have telephone numbers. */
const countries: ReadonlySet<string> = new Set(getCountries());

/** Of countries that share a calling code, the one that numbers belong to which nobody has assigned. */
const leading: Readonly<Partial<Record<string, CountryCode>>> = { 1: 'US', 7: 'RU', 44: 'GB' };

/**
 * Whether a text can be an entry of a trunk's allowed destinations: a prefix (`+4930`; `+` is everywhere) or a country (`DE`).
 * A country is the stricter: `+1` is also the Caribbean, whose premium numbers fraudsters love; `US` is not.
 */
export function isDestination(entry: string): boolean {
  return /^\+\d{0,14}$/.test(entry) || countries.has(entry);
}

/** The country of a number (E.164), as far as its numbering plan tells. */
export function countryOf(number: string): CountryCode | undefined {
  const parsed = parsePhoneNumberFromString(number);
  return parsed?.country ?? (parsed && leading[parsed.countryCallingCode]);
}

/** Whether a number (E.164) lies within the allowed destinations. */
export function permits(destinations: readonly string[], number: string): boolean {
  return destinations.some((entry) =>
    // Everywhere is also where no country is: extensions and short numbers of a local trunk.
    entry.startsWith('+') ? entry === '+' || number.startsWith(entry) : entry === countryOf(number),
  );
}

/** What a trunk permits where nothing is said: the countries of its own numbers, nothing else. */
export function homeDestinations(numbers: readonly string[]): string[] {
  const found = numbers.map((number) => {
    const parsed = parsePhoneNumberFromString(number);
    return countryOf(number) ?? (parsed ? `+${parsed.countryCallingCode}` : number);
  });
  return [...new Set(found)];
}
