/** Louder than the noise that G.711 makes of silence, far quieter than speech. */
export const VOICE_RMS = 200;

/** Root mean square of its samples. */
export function loudness(sound: Int16Array): number {
  let sum = 0;
  for (const sample of sound) sum += sample * sample;
  return Math.sqrt(sum / Math.max(sound.length, 1));
}
