import { createHash } from 'node:crypto';

/** How espeak-ng is to speak. */
export type EspeakVoice = {
  /** espeak-ng's name of language and variant, for example `en-us+m3`. */
  name: string;
  /** 0 to 99. */
  pitch: number;
  wordsPerMinute: number;
};

/** Voices that the simulator itself uses. Agents and callers differ, so that a recording tells who speaks. */
export const AGENT_VOICE = 'sim-agent';
export const CALLER_VOICE = 'sim-caller';

const LANGUAGES: Readonly<Record<string, string>> = {
  en: 'en-us',
  'en-gb': 'en-gb',
  de: 'de',
  fr: 'fr-fr',
  es: 'es',
  it: 'it',
  nl: 'nl',
  pl: 'pl',
  pt: 'pt',
};

/** Variants for vendors' voices. The callers' variant is not among them. */
const VARIANTS = ['f2', 'm1', 'f4', 'm7', 'f5', 'm2'] as const;

/**
 * The espeak-ng voice for a voice name and a language. `sim-agent-de` says its language itself; a vendor's
 * voice (`alloy`, `de-DE-KatjaNeural`) always gets the same variant, and the language its name begins with.
 */
export function espeakVoice(voice: string, language: string | undefined): EspeakVoice {
  const spoken = LANGUAGES[languageOf(voice, language)] ?? 'en-us';
  if (voice.startsWith(CALLER_VOICE))
    return { name: `${spoken}+m3`, pitch: 38, wordsPerMinute: 165 };
  if (voice.startsWith(AGENT_VOICE))
    return { name: `${spoken}+f3`, pitch: 62, wordsPerMinute: 170 };
  const digest = createHash('sha256').update(voice).digest();
  const variant = VARIANTS[digest.readUInt8(0) % VARIANTS.length]!;
  return {
    name: `${spoken}+${variant}`,
    pitch: 45 + (digest.readUInt8(1) % 30),
    wordsPerMinute: 160 + (digest.readUInt8(2) % 20),
  };
}

/** The language that a voice's name says: `sim-agent-de`, `de-DE-KatjaNeural`. */
export function languageInName(voice: string): string | undefined {
  return (
    /^sim-[a-z]+-([a-z]{2}(?:-[a-z]{2})?)$/i.exec(voice)?.[1] ??
    /^([a-z]{2}-[A-Z]{2})-/.exec(voice)?.[1]
  );
}

function languageOf(voice: string, language: string | undefined): string {
  const tag = (language ?? languageInName(voice) ?? 'en').toLowerCase();
  return tag in LANGUAGES ? tag : (tag.split('-')[0] ?? 'en');
}

/** German by its umlauts or its most frequent words; else English. For text that comes without a language. */
export function guessLanguage(text: string): 'de' | 'en' {
  if (/[äöüß]/i.test(text)) return 'de';
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const count = (known: ReadonlySet<string>) => words.filter((word) => known.has(word)).length;
  return count(GERMAN) > count(ENGLISH) ? 'de' : 'en';
}

const GERMAN: ReadonlySet<string> = new Set(
  'der die das und ist nicht ich sie wir ein eine einen guten tag mit von bitte danke ja nein zu auf im den dem wie kann ihnen ihr hallo auch noch am um uhr deutsch sprechen wiederhören haben sind'.split(
    ' ',
  ),
);
const ENGLISH: ReadonlySet<string> = new Set(
  'the and is not i you we a an good with of please thank thanks yes no to on in how can your hello also at do are have for it this that what would like'.split(
    ' ',
  ),
);
