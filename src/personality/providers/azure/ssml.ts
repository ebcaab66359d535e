export type VoiceOptions = {
  language: string;
  voice?: string | undefined;
  /** Factor; 1 is as the voice speaks by itself. */
  speed?: number | undefined;
  pitch?: string | undefined;
  style?: string | undefined;
};

/**
 * A text as SSML with what the voice is to do, or undefined where there is nothing to say of it.
 *
 * https://learn.microsoft.com/azure/ai-services/speech-service/speech-synthesis-markup-voice
 */
export function ssml(
  text: string,
  { language, voice, speed, pitch, style }: VoiceOptions,
): string | undefined {
  if (voice === undefined) return undefined;
  const prosody = [
    ...(speed === undefined ? [] : [`rate="${speed}"`]),
    ...(pitch === undefined ? [] : [`pitch="${escape(pitch)}"`]),
  ].join(' ');
  const said = prosody === '' ? escape(text) : `<prosody ${prosody}>${escape(text)}</prosody>`;
  const styled =
    style === undefined
      ? said
      : `<mstts:express-as style="${escape(style)}">${said}</mstts:express-as>`;
  return (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" ' +
    `xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="${escape(language)}">` +
    `<voice name="${escape(voice)}">${styled}</voice></speak>`
  );
}

/** Characters that XML 1.0 gives a meaning; those that it forbids are dropped. */
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '');
}
