import { initializeLogger } from '@livekit/agents';
import { openPersonalities } from '../../personality/personalities.ts';
import { loadConfig } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import { logRejections } from '../../platform/log-rejections.ts';
import { createLog } from '../../platform/log.ts';
import { answerTurn } from './answer-turn.ts';
import { SoundDecoder } from './sound-decoder.ts';
import { LONGEST_SOUND_MS } from './speech-limits.ts';
import { TurnError, type FromSpeech, type ToSpeech, type TurnRequest } from './speech-message.ts';

/**
 * The process in which `POST /api/voice-pipeline` decodes, hears, thinks and speaks: what people upload is
 * decoded here and not where calls are accepted, and the framework, its memory and its unhandled promises are
 * here too.
 */
const config = loadConfig();
const log = createLog('api-speech', config.LOG_LEVEL);
logRejections(log);
initializeLogger({ pretty: false, level: 'silent' });
const personalities = await openPersonalities({ config, log, watch: true });

type Turn = { decoder: SoundDecoder; over: AbortController; tail: Promise<void> };
const turns = new Map<number, Turn>();

process.on('message', (message: ToSpeech) => {
  const turn = turnOf(message.id);
  switch (message.case) {
    case 'sound':
      then(message.id, turn, async () => turn.decoder.push(message.chunk));
      break;
    case 'answer':
      then(message.id, turn, async () => answer(message.id, turn, message.request));
      break;
    case 'cancel':
      turn.over.abort(new Error('canceled'));
      end(message.id, turn);
      break;
  }
});
process.on('disconnect', () => process.exit(0));
// A Ctrl-C reaches the whole group; the api ends this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
send({ case: 'ready' });

function turnOf(id: number): Turn {
  const known = turns.get(id);
  if (known) return known;
  const turn = {
    decoder: new SoundDecoder(LONGEST_SOUND_MS),
    over: new AbortController(),
    tail: Promise.resolve(),
  };
  turns.set(id, turn);
  return turn;
}

/** One step of a turn after the other; after one that failed there is none. */
function then(id: number, turn: Turn, step: () => Promise<void>): void {
  turn.tail = turn.tail.then(() => attempt(id, turn, step));
}

async function attempt(id: number, turn: Turn, step: () => Promise<void>): Promise<void> {
  if (turn.over.signal.aborted) return;
  try {
    await step();
  } catch (thrown) {
    if (turn.over.signal.aborted) return;
    turn.over.abort(new Error('failed'));
    send({ case: 'failure', id, failure: failureOf(thrown) });
  }
}

async function answer(id: number, turn: Turn, request: TurnRequest): Promise<void> {
  const personality = personalities.get(request.personality);
  if (!personality) {
    throw new TurnError('lost', `The personality ${request.personality} is not there.`);
  }
  const { decoder, over } = turn;
  const result = await answerTurn(config, { personality, request, decoder, signal: over.signal });
  send({ case: 'result', id, result });
}

/** The api says so of each turn when it is done with it: what may still come of it comes before. */
function end(id: number, turn: Turn): void {
  void turn.tail.finally(() => {
    turn.decoder.free();
    turns.delete(id);
  });
}

function failureOf(thrown: unknown): TurnError['failure'] {
  if (thrown instanceof TurnError) return thrown.failure;
  log.error({ err: asError(thrown) }, 'a turn failed');
  return { kind: 'lost', detail: 'The log of the api tells what happened.' };
}

function send(message: FromSpeech): void {
  process.send?.(message);
}
