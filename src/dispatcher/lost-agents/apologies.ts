import { apologyLanguage, apologyText } from '../../call/apology/apology-text.ts';
import { apologyInOwnVoice } from '../../call/apology/own-voice.ts';
import { recordedApology } from '../../call/apology/recorded-apology.ts';
import { getBrief } from '../../call/call-brief.ts';
import type { CallId } from '../../call/call-id.ts';
import { recallConversation } from '../../call/conversation-memory.ts';
import type { LiveCall } from '../../call/live-calls.ts';
import { pinnedPersonality } from '../../call/pinned-personality.ts';
import type { Personality } from '../../personality/personality.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { personalityForInbound } from '../../trunk/routing.ts';
import type { Trunk } from '../../trunk/trunk.ts';

export type ApologyDeps = {
  redis: Redis;
  trunks: readonly Trunk[];
  defaultPersonality: string;
  log: Log;
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

/** Who has spoken in the call; where nobody remembers, who would answer by the rule of the workers. */
async function voiceOf(
  { redis, trunks, defaultPersonality, voice, log }: ApologyDeps,
  call: LiveCall,
  number: string,
): Promise<ReturnType<ApologyDeps['voice']>> {
  const remembered = await spokenBy(redis, call.id).catch((thrown: unknown) => {
    log.warn({ err: asError(thrown), call: call.id }, 'could not recall who spoke in a call');
    return undefined;
  });
  if (remembered) return remembered;
  const key =
    call.direction === 'outbound'
      ? (await getBrief(redis, call.id))?.personality
      : personalityForInbound(trunks, { trunk: call.trunk, number });
  return voice(key ?? defaultPersonality) ?? voice(defaultPersonality);
}

/** The personality as it was when the call began; see `pinned-personality.ts`. */
async function spokenBy(redis: Redis, callId: CallId): Promise<Personality | undefined> {
  const memory = await recallConversation(redis, callId);
  return memory && pinnedPersonality(redis, memory.facts.hash);
}
