/** What the agent says of itself, outside of what its model and its author give it. */
export type SpokenWords = { stillThere: string; timeIsUp: string };

const ENGLISH: SpokenWords = {
  stillThere: 'Are you still there?',
  timeIsUp: 'I am sorry, our time is up. Thank you for the call, goodbye.',
};

const BY_LANGUAGE: ReadonlyMap<string, SpokenWords> = new Map([
  ['en', ENGLISH],
  [
    'de',
    {
      stillThere: 'Sind Sie noch da?',
      timeIsUp: 'Leider ist unsere Zeit um. Vielen Dank für das Gespräch, auf Wiederhören.',
    },
  ],
  [
    'fr',
    {
      stillThere: 'Vous êtes toujours là ?',
      timeIsUp: 'Je suis désolé, notre temps est écoulé. Merci de votre appel, au revoir.',
    },
  ],
  [
    'es',
    {
      stillThere: '¿Sigue ahí?',
      timeIsUp: 'Lo siento, se nos ha acabado el tiempo. Gracias por la llamada, adiós.',
    },
  ],
  [
    'it',
    {
      stillThere: 'È ancora in linea?',
      timeIsUp: 'Mi dispiace, il tempo è finito. Grazie della chiamata, arrivederci.',
    },
  ],
  [
    'nl',
    {
      stillThere: 'Bent u er nog?',
      timeIsUp: 'Het spijt me, onze tijd is om. Bedankt voor het gesprek, tot ziens.',
    },
  ],
  [
    'pt',
    {
      stillThere: 'Ainda está aí?',
      timeIsUp: 'Lamento, o nosso tempo acabou. Obrigado pela chamada, adeus.',
    },
  ],
]);

/** The words in a language given as a BCP 47 tag; English where there are none. */
export function spokenWords(language: string): SpokenWords {
  const [primary = ''] = language.toLowerCase().split('-');
  return BY_LANGUAGE.get(primary) ?? ENGLISH;
}
