/** `HH:MM:SS` of a duration. */
export function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(twoDigits).join(':');
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
