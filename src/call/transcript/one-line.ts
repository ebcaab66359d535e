/** C0 and C1 controls: among them what moves the cursor of a terminal, and what ends a line. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/**
 * A turn's text on one line. What was said is anybody's words: no line of it may pass for one of ours, or for
 * another speaker's.
 */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, ' ').replace(/\s+/g, ' ').trim();
}
