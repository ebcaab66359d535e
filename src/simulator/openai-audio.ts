import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { pcmWavFile } from '../platform/pcm-wav.ts';
import { passFault } from './faulty-answer.ts';
import { SAMPLE_RATE } from './leg.ts';
import { sendOpenAiError } from './openai-error.ts';
import { resample } from './resample.ts';
import { transcribe } from './transcription.ts';
import type { VendorDeps } from './vendor-deps.ts';
import { prettifyIssues, WAV_LIMIT } from './vendor-request.ts';
import { guessLanguage, languageInName } from './voices.ts';
import { readWav, writeSamples } from './wav.ts';

/** OpenAI's raw sound: 24 kHz, mono, signed 16 bit, little-endian. */
const OPENAI_SAMPLE_RATE = 24_000;
/** 100 ms of it. */
const CHUNK_BYTES = OPENAI_SAMPLE_RATE / 5;

const speechRequest = z.looseObject({
  model: z.string(),
  input: z.string().min(1).max(4096),
  voice: z.string().default('alloy'),
  response_format: z.enum(['pcm', 'wav', 'mp3', 'opus', 'aac', 'flac']).default('mp3'),
  speed: z.number().min(0.25).max(4).default(1),
});

/**
 * OpenAI's text to speech, spoken by espeak-ng. Callers' ears know each line from then on.
 * @see https://platform.openai.com/docs/api-reference/audio/createSpeech
 */
export function mountSpeech(app: FastifyInstance, deps: VendorDeps): void {
  app.post('/v1/audio/speech', async (request, reply) => {
    const fault = deps.faults.take('tts');
    if (!(await passFault(fault, reply, (status) => sendOpenAiError(reply, status)))) return reply;
    const parsed = speechRequest.safeParse(request.body);
    if (!parsed.success) return sendOpenAiError(reply, 400, prettifyIssues(parsed.error));
    const { input, voice, response_format: format, speed } = parsed.data;
    if (format !== 'pcm' && format !== 'wav') {
      const help = `The simulator makes no ${format}; ask for response_format pcm or wav.`;
      return sendOpenAiError(reply, 400, help);
    }
    const language = languageInName(voice) ?? guessLanguage(input);
    const spoken = await deps.speech.say(input, { voice, language, speed });
    deps.agentLines.add(input, spoken);
    deps.served.spoke(input.length, (spoken.length / SAMPLE_RATE) * 1000);
    const sound = resample(spoken, SAMPLE_RATE, OPENAI_SAMPLE_RATE);
    deps.diary.note('tts_first_sound', input);
    const audible = fault.silent ? new Int16Array(sound.length) : sound;
    if (format === 'wav')
      return reply.type('audio/wav').send(pcmWavFile(audible, OPENAI_SAMPLE_RATE));
    const bytes = writeSamples(audible);
    function* chunks(): Generator<Buffer> {
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
        yield bytes.subarray(start, start + CHUNK_BYTES);
        if (fault.drop && start > bytes.length / 3) {
          reply.raw.destroy();
          return;
        }
      }
    }
    return reply.type('audio/pcm').send(Readable.from(chunks()));
  });
}

/**
 * OpenAI's speech to text, heard by the simulator's ears.
 * @see https://platform.openai.com/docs/api-reference/audio/createTranscription
 */
export function mountTranscriptions(app: FastifyInstance, deps: VendorDeps): void {
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/v1/audio/transcriptions', { bodyLimit: WAV_LIMIT }, async (request, reply) => {
    const fault = deps.faults.take('stt');
    if (!(await passFault(fault, reply, (status) => sendOpenAiError(reply, status)))) return reply;
    const form = await readForm(request.body, request.headers['content-type']);
    const file = form?.get('file');
    if (!form || !(file instanceof Blob)) {
      return sendOpenAiError(
        reply,
        400,
        'Send multipart/form-data with the sound in the field "file".',
      );
    }
    let text: string;
    try {
      const { samples, sampleRate } = readWav(Buffer.from(await file.arrayBuffer()));
      deps.served.heard((samples.length / sampleRate) * 1000);
      text = transcribe(deps.callerLines, resample(samples, sampleRate, SAMPLE_RATE)).text;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return sendOpenAiError(reply, 400, `The simulator hears WAV files only: ${reason}.`);
    }
    if (fault.silent) text = '';
    if (form.get('response_format') === 'text') return reply.type('text/plain').send(`${text}\n`);
    return reply.send({ text });
  });
}

async function readForm(body: unknown, type: string | undefined): Promise<FormData | undefined> {
  if (!Buffer.isBuffer(body) || type === undefined) return undefined;
  try {
    return await new Response(new Uint8Array(body), {
      headers: { 'content-type': type },
    }).formData();
  } catch {
    return undefined;
  }
}
