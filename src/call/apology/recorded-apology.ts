import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ApologyLanguage } from './apology-text.ts';

const FOLDER = path.join(import.meta.dirname, 'sounds');

/** Samples a second of an apology: G.711, as a telephone line carries it. */
export const APOLOGY_RATE = 8000;

/**
 * The file of the sentence that comes with Trunkline, G.711 µ-law without a header: `play -t ul -r 8000 FILE`.
 * `node src/simulator/record-apologies.ts` makes them, with espeak-ng.
 */
export function apologyFile(language: ApologyLanguage): string {
  return path.join(FOLDER, `${language}.ul`);
}

/** The sound of that file. */
export async function recordedApology(language: ApologyLanguage): Promise<Buffer> {
  return readFile(apologyFile(language));
}
