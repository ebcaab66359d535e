import { SAMPLE_RATE } from '../leg.ts';

/** The most time that a line may take, ms; slow voices say ten characters a second. */
export function speakingTime(text: string | undefined): number {
  return 8000 + (text?.length ?? 300) * 100;
}

export function soundMs(sound: Int16Array): number {
  return (sound.length / SAMPLE_RATE) * 1000;
}
