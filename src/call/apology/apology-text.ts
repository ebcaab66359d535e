/** What the recorded sentence says: neither caller nor callee is told to call again, which may be wrong. */
const BY_LANGUAGE = {
  en: 'I am sorry, because of a technical problem I must end this call. Goodbye.',
  de: 'Es tut mir leid, wegen eines technischen Problems muss ich dieses Gespräch beenden. Auf Wiederhören.',
  fr: 'Je suis désolé, en raison d’un problème technique je dois mettre fin à cet appel. Au revoir.',
  es: 'Lo siento, por un problema técnico tengo que terminar esta llamada. Adiós.',
  it: 'Mi dispiace, per un problema tecnico devo terminare questa chiamata. Arrivederci.',
  nl: 'Het spijt me, door een technisch probleem moet ik dit gesprek beëindigen. Tot ziens.',
  pt: 'Lamento, devido a um problema técnico tenho de terminar esta chamada. Adeus.',
} as const;

export type ApologyLanguage = keyof typeof BY_LANGUAGE;

export const apologyLanguages = Object.keys(BY_LANGUAGE) as ApologyLanguage[];

/** The language in which somebody is told that the call must end, for a BCP 47 tag; English where we have none. */
export function apologyLanguage(tag: string): ApologyLanguage {
  const [primary = ''] = tag.toLowerCase().split('-');
  return apologyLanguages.find((language) => language === primary) ?? 'en';
}

export function apologyText(language: ApologyLanguage): string {
  return BY_LANGUAGE[language];
}
