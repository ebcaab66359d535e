import { defineAgent, voice, type JobContext } from '@livekit/agents';
import { STT } from '@livekit/agents-plugin-deepgram';
import { LLM, TTS } from '@livekit/agents-plugin-openai';

const simulator = process.env.SIMULATOR_URL ?? '';
/** The plugins demand a key; the simulator takes any. */
const apiKey = 'simulator';

/**
 * A plain agent as the framework's guides show it, with its defaults but for one: the default turn detector
 * judges intonation, of which the simulator's voices have little, and would let each turn wait for 3 s.
 */
export default defineAgent({
  entry: async (context: JobContext) => {
    await context.connect();
    const session = new voice.AgentSession({
      turnHandling: { turnDetection: 'vad' },
      stt: new STT({ apiKey, baseUrl: `${simulator.replace(/^http/, 'ws')}/v1/listen` }),
      llm: new LLM({ apiKey, baseURL: `${simulator}/v1`, model: 'simulator' }),
      // The simulator has voices of its own names; the plugin's type lists OpenAI's.
      tts: new TTS({
        apiKey,
        baseURL: `${simulator}/v1`,
        model: 'simulator',
        voice: 'sim-agent-en' as string,
      } as ConstructorParameters<typeof TTS>[0]),
    });
    session.on(voice.AgentSessionEventTypes.Close, () => context.shutdown('the caller left'));
    await session.start({
      agent: new voice.Agent({ instructions: 'You answer the telephone of a dental practice.' }),
      room: context.room,
    });
    session.say(process.env.BENCH_GREETING ?? '');
  },
});
