/** Tool by which the framework's answering machine detection asks an LLM to classify who picked up. */
export const AMD_TOOL = 'save_prediction';

const MACHINE =
  /leave (?:a|your) message|after the (?:tone|beep)|voice ?mail|mailbox|nach dem (?:signal)?ton|anrufbeantworter|hinterlassen sie/i;
const MENU = /\bpress (?:\d|one|two|star|pound)\b|drücken sie/i;

/** What picked up, in the labels of the framework, by the words it says. */
export function classifyPickup(transcript: string): 'human' | 'machine-vm' | 'machine-ivr' {
  if (MACHINE.test(transcript)) return 'machine-vm';
  return MENU.test(transcript) ? 'machine-ivr' : 'human';
}
