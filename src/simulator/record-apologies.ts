import { writeFile } from 'node:fs/promises';
import { apologyLanguages, apologyText } from '../call/apology/apology-text.ts';
import { APOLOGY_RATE, apologyFile } from '../call/apology/recorded-apology.ts';
import { PCMU } from '../platform/g711.ts';
import { SAMPLE_RATE } from './leg.ts';
import { resample } from './resample.ts';
import { Speech } from './speech.ts';
import { AGENT_VOICE } from './voices.ts';

// Makes the recorded apologies that come with Trunkline, when their words have changed:
//
//     node src/simulator/record-apologies.ts
//
// They are espeak-ng's speech, so that no vendor's terms apply to them, and as a telephone line carries sound.
const speech = new Speech();
for (const language of apologyLanguages) {
  const sound = await speech.say(apologyText(language), { voice: AGENT_VOICE, language });
  const bytes = PCMU.encode(resample(sound, SAMPLE_RATE, APOLOGY_RATE));
  await writeFile(apologyFile(language), bytes);
}
