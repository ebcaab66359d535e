import { createHash } from 'node:crypto';
import type { Personality } from '../../personality/personality.ts';
import type { Redis } from '../../platform/redis.ts';
import { apologyLanguage, apologyText } from './apology-text.ts';

/** Renewed by every worker that starts; a voice that no personality has any more is forgotten. */
const KEPT_S = 30 * 86_400;

/** A sentence is some 5 s: more than this is no sentence, and Redis no place for it. */
const MOST_BYTES = 30 * 8000;

const CLAIM_S = 60;

type Voice = Pick<Personality, 'components' | 'language'>;

/** Keeps the apology of a personality in its own voice, G.711 µ-law, where every process finds it. */
export async function keepApology(redis: Redis, voice: Voice, sound: Buffer): Promise<void> {
  if (sound.length === 0 || sound.length > MOST_BYTES) {
    throw new Error('an apology is a sentence of sound');
  }
  await redis.set(apologyKey(voice), sound, 'EX', KEPT_S);
}

/** Whether it is there; it is kept for longer where it is. */
export async function renewApology(redis: Redis, voice: Voice): Promise<boolean> {
  return (await redis.expire(apologyKey(voice), KEPT_S)) === 1;
}

/** The right to make it, for a minute: one process is enough, and vendors bill by the sentence. */
export async function claimApology(redis: Redis, voice: Voice): Promise<boolean> {
  return (await redis.set(`${apologyKey(voice)}:claim`, '1', 'EX', CLAIM_S, 'NX')) === 'OK';
}

/** The apology in the voice of a personality; undefined where no worker has made it yet. */
export async function apologyInOwnVoice(redis: Redis, voice: Voice): Promise<Buffer | undefined> {
  return (await redis.getBuffer(apologyKey(voice))) ?? undefined;
}

/** By what is said and who says it: personalities with one voice have one sound, and a new voice a new one. */
function apologyKey({ components, language }: Voice): string {
  const text = apologyText(apologyLanguage(language));
  const said = JSON.stringify([text, language, components.tts]);
  return `trunkline:apology:${createHash('sha256').update(said).digest('hex')}`;
}
