import { apologyLanguage, apologyText } from '../../call/apology/apology-text.ts';
import { apologyInOwnVoice } from '../../call/apology/own-voice.ts';
import { recordedApology } from '../../call/apology/recorded-apology.ts';
import { getBrief } from '../../call/call-brief.ts';
import type { LiveCall } from '../../call/live-calls.ts';
import type { Personality } from '../../personality/personality.ts';
import type { Redis } from '../../platform/redis.ts';
import { personalityForInbound } from '../../trunk/routing.ts';
import type { Trunk } from '../../trunk/trunk.ts';

export type ApologyDeps = {
  redis: Redis;
  trunks: readonly Trunk[];
  defaultPersonality: string;
  /** Who speaks in a call, by the personality's key. */
  voice: (personality: string) => Pick<Personality, 'components' | 'language'> | undefined;
};

/** What somebody is told whose call must end; `sound` is G.711 µ-law, 8 kHz. */
export type Apology = { text: string; sound: Buffer };

/**
 * The apology for a call: in the voice that the person has heard all the time, where a worker has made it ahead,
 * else the recorded one of its language. No vendor and no worker is needed.
 *
 * @param number that was dialled; only of inbound calls
 */
export async function apologyFor(
  deps: ApologyDeps,
  call: LiveCall,
  number: string,
): Promise<Apology> {
  const voice = await voiceOf(deps, call, number);
  const language = apologyLanguage(voice?.language ?? 'en');
  const own = voice && (await apologyInOwnVoice(deps.redis, voice));
  return { text: apologyText(language), sound: own ?? (await recordedApology(language)) };
}

/** By the same rule as the worker's. */
async function voiceOf(
  { redis, trunks, defaultPersonality, voice }: ApologyDeps,
  call: LiveCall,
  number: string,
): Promise<ReturnType<ApologyDeps['voice']>> {
  const key =
    call.direction === 'outbound'
      ? (await getBrief(redis, call.id))?.personality
      : personalityForInbound(trunks, { trunk: call.trunk, number });
  return voice(key ?? defaultPersonality) ?? voice(defaultPersonality);
}
