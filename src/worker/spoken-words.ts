/** What the agent says of itself, outside of what its model and its author give it. */
export type SpokenWords = {
  stillThere: string;
  timeIsUp: string;
  trouble: string;
  /** The agent was lost for some seconds, and another goes on. */
  resumed: string;
};

const ENGLISH: SpokenWords = {
  stillThere: 'Are you still there?',
  timeIsUp: 'I am sorry, our time is up. Thank you for the call, goodbye.',
  trouble: 'I am sorry, I have a technical problem. Please call again later.',
  resumed: 'I am sorry, I was gone for a moment.',
};

const BY_LANGUAGE: ReadonlyMap<string, SpokenWords> = new Map([
  ['en', ENGLISH],
  [
    'de',
    {
      stillThere: 'Sind Sie noch da?',
      timeIsUp: 'Leider ist unsere Zeit um. Vielen Dank für das Gespräch, auf Wiederhören.',
      trouble:
        'Es tut mir leid, ich habe ein technisches Problem. Bitte rufen Sie später noch einmal an.',
      resumed: 'Entschuldigung, ich war einen Moment weg.',
    },
  ],
  [
    'fr',
    {
      stillThere: 'Vous êtes toujours là ?',
      timeIsUp: 'Je suis désolé, notre temps est écoulé. Merci de votre appel, au revoir.',
      trouble: 'Je suis désolé, j’ai un problème technique. Merci de rappeler plus tard.',
      resumed: 'Excusez-moi, la ligne a été coupée un instant.',
    },
  ],
  [
    'es',
    {
      stillThere: '¿Sigue ahí?',
      timeIsUp: 'Lo siento, se nos ha acabado el tiempo. Gracias por la llamada, adiós.',
      trouble: 'Lo siento, tengo un problema técnico. Por favor, llame más tarde.',
      resumed: 'Disculpe, se ha cortado un momento.',
    },
  ],
  [
    'it',
    {
      stillThere: 'È ancora in linea?',
      timeIsUp: 'Mi dispiace, il tempo è finito. Grazie della chiamata, arrivederci.',
      trouble: 'Mi dispiace, ho un problema tecnico. La prego di richiamare più tardi.',
      resumed: 'Mi scusi, ero assente per un momento.',
    },
  ],
  [
    'nl',
    {
      stillThere: 'Bent u er nog?',
      timeIsUp: 'Het spijt me, onze tijd is om. Bedankt voor het gesprek, tot ziens.',
      trouble: 'Het spijt me, ik heb een technisch probleem. Belt u later nog eens.',
      resumed: 'Excuses, ik was even weg.',
    },
  ],
  [
    'pt',
    {
      stillThere: 'Ainda está aí?',
      timeIsUp: 'Lamento, o nosso tempo acabou. Obrigado pela chamada, adeus.',
      trouble: 'Lamento, tenho um problema técnico. Por favor, ligue mais tarde.',
      resumed: 'Desculpe, estive ausente por um momento.',
    },
  ],
]);

/** The words in a language given as a BCP 47 tag; English where there are none. */
export function spokenWords(language: string): SpokenWords {
  const [primary = ''] = language.toLowerCase().split('-');
  return BY_LANGUAGE.get(primary) ?? ENGLISH;
}
