import { ReadableStream } from 'node:stream/web';
import { tts, USERDATA_TIMED_TRANSCRIPT, type APIConnectOptions } from '@livekit/agents';
import type { AudioFrame } from '@livekit/rtc-node';
import { FirstClauseTokenizer } from './first-clause.ts';

/**
 * Speaks a text while it is being written, with a voice that takes whole texts: the first clause as soon as it is
 * complete. As the framework's own node does it, but for the cutting.
 */
export function speakByClauses(
  voice: tts.TTS,
  text: ReadableStream<string>,
  connOptions: APIConnectOptions,
): ReadableStream<AudioFrame> {
  const adapter = new tts.StreamAdapter(voice, new FirstClauseTokenizer());
  const speech = adapter.stream({ connOptions });
  speech.updateInputStream(text);
  let over = false;
  const end = async () => {
    if (over) return;
    over = true;
    speech.close();
    await text.cancel('the agent has spoken').catch(() => undefined);
    await adapter.close();
  };
  return new ReadableStream<AudioFrame>({
    async pull(controller) {
      try {
        const { done, value } = await speech.next();
        if (done || value === tts.SynthesizeStream.END_OF_STREAM) {
          controller.close();
          await end();
          return;
        }
        const { frame, timedTranscripts } = value;
        if (timedTranscripts?.length) frame.userdata[USERDATA_TIMED_TRANSCRIPT] = timedTranscripts;
        controller.enqueue(frame);
      } catch (thrown) {
        await end();
        controller.error(thrown);
      }
    },
    cancel: end,
  });
}
