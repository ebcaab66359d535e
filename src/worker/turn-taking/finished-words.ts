/**
 * Whether somebody who falls silent after these words seems to have finished:
 * `finished` a sentence, a question or a usual short answer; `unfinished`, where more must come or a filler says that
 * it will; `open`, where nothing tells.
 */
export type Completeness = 'finished' | 'open' | 'unfinished';

/**
 * Judges by the end of the words alone, in English and German; of other languages by punctuation and the fillers
 * that many of them share.
 *
 * @param words all that was heard in this turn, with the recogniser's punctuation where it makes any
 */
export function completenessOf(words: string): Completeness {
  const text = words.trim();
  const spoken = text.toLowerCase().match(/[\p{L}\p{N}'’]+/gu) ?? [];
  const last = spoken.at(-1);
  if (last === undefined || /(?:[,;:–—-]|\.{2,}|…)["”']?$/u.test(text)) return 'unfinished';
  // "Where do I have to go to?" ends in such a word; a recogniser that hears a question has heard its end.
  if (/[?？!]["”']?$/u.test(text)) return 'finished';
  if (isShortAnswer(spoken)) return 'finished';
  if (GOES_ON.has(last)) return 'unfinished';
  const stops = /[.。]["”']?$/u.test(text);
  if (MAY_GO_ON.has(last)) return stops ? 'open' : 'unfinished';
  // A recogniser puts a full stop also where somebody breathes: of a word or two it says nothing.
  return stops && sentenceLength(text) > 2 ? 'finished' : 'open';
}

/** Words of the last sentence. */
function sentenceLength(text: string): number {
  const sentence = text.split(/[.?!。？]\s+/u).at(-1) ?? '';
  return sentence.match(/[\p{L}\p{N}'’]+/gu)?.length ?? 0;
}

function isShortAnswer(spoken: readonly string[]): boolean {
  return spoken.length <= 3 && spoken.every((word) => SHORT_ANSWERS.has(word));
}

/** After these somebody goes on, whatever mark the recogniser puts there. */
const GOES_ON = wordSet(
  'um uh uhm erm er hm hmm mm and or but because if whether than unless although',
  "a an the my your our their of i'm it's that's we're they're you're",
  'äh ähm öh hm hmm tja und oder aber weil dass ob wenn denn sondern obwohl',
  'ein eine einen einem eines des mein meine meinen meiner unser unsere im am vom zum zur beim',
  'euh ehm eh',
);

/** After these somebody mostly goes on; but “I think so.” is a sentence. */
const MAY_GO_ON = wordSet(
  'well so like maybe perhaps also very not just only say no these those some any every each',
  'when while since until as nor that which who whose his her its this',
  'to in on at by for with from about into between under over without during per',
  'is was were am are be has have had does do did will would can could should must may might want need',
  'i you he she we they',
  'naja also vielleicht sehr noch nur damit während bis als wie der die das den dem in an auf aus bei mit nach',
  'von zu für über unter vor um ohne gegen ich du er sie es wir ihr ist sind war waren habe hat haben',
  'hätte hätten würde möchte will kann könnte könnten muss soll este',
);

/** Words of which a whole answer may consist. */
const SHORT_ANSWERS = wordSet(
  'yes yeah yep no nope ok okay sure right correct exactly thanks thank you bye goodbye hello hi',
  'fine perfect great nothing alright please',
  'ja nein doch genau gut richtig danke okay tschüss wiederhören hallo gern gerne passt nichts',
);

function wordSet(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}
