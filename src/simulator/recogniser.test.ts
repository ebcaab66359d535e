import { beforeAll, describe, expect, test } from 'vitest';
import { KnownLines } from './known-lines.ts';
import { SAMPLE_RATE } from './leg.ts';
import { PCMA, PCMU, type G711 } from '../platform/g711.ts';
import { Recogniser, type Heard } from './recogniser.ts';
import { resample } from './resample.ts';
import { Speech } from './speech.ts';
import { AGENT_VOICE } from './voices.ts';

const ENGLISH = [
  'I would like to book a table for two.',
  'I would like to book a table for four.',
  'I would like to book a table for ten.',
  'I would like to cancel my booking.',
  'I would like to change my booking.',
  'Hello, how can I help?',
  'Hello. How can I help you today?',
  'Hello, this is the receptionist. How can I help you?',
  'Yes.',
  'No.',
  'Yes, please.',
  'No, thank you.',
  'Tomorrow at seven.',
  'Tomorrow at eleven.',
  'Today at seven.',
  'What are your opening hours?',
  'My name is Anna Miller.',
  'My name is Alan Miller.',
  'We are open from nine to five, Monday to Friday.',
  'We are open from nine to six, Monday to Friday.',
  'Your table for two is booked for tomorrow at seven. Is there anything else?',
  'Your table for four is booked for tomorrow at seven. Is there anything else?',
  'Thank you. Goodbye.',
  'Goodbye.',
  'I am calling to remind you of your appointment on Tuesday at ten.',
  'I am calling to remind you of your appointment on Thursday at ten.',
  'Sorry, I did not understand that. Could you say it again?',
  'The answer is fifteen.',
  'The answer is fifty.',
];
const GERMAN = [
  'Guten Tag, wie kann ich Ihnen helfen?',
  'Guten Tag. Ich möchte einen Tisch für zwei Personen reservieren.',
  'Ich möchte einen Tisch für drei Personen reservieren.',
  'Ja, gerne.',
  'Nein, danke.',
  'Auf Wiederhören.',
  'Ihr Termin ist am Dienstag um zehn Uhr.',
  'Ihr Termin ist am Donnerstag um zehn Uhr.',
];
const UNKNOWN = [
  'I would like to book a flight to Rome.',
  'The weather is nice today, and the flowers are green.',
  'Maybe.',
  'Okay.',
  'Yesterday was a holiday in Spain.',
  'Your order has been shipped.',
  'Please send the invoice to my office.',
];

const speech = new Speech();
const lines = new KnownLines();
const known: { text: string; sound: Int16Array }[] = [];
const unknown: Int16Array[] = [];

beforeAll(async () => {
  for (const [language, texts] of [
    ['en', ENGLISH],
    ['de', GERMAN],
  ] as const) {
    for (const text of texts) known.push({ text, sound: await speech.say(text, { language }) });
  }
  for (const { text, sound } of known) lines.add(text, sound);
  for (const text of UNKNOWN) unknown.push(await speech.say(text));
});

type Told = Heard & { latencyMs: number };

function listen(sound: Int16Array, options = {}): Told[] {
  const recogniser = new Recogniser(lines, options);
  const told: Told[] = [];
  recogniser.onHeard((heard) => told.push({ ...heard, latencyMs: recogniser.now - heard.endedAt }));
  recogniser.feed(sound);
  return told;
}

const silence = (durationMs: number) => new Int16Array((durationMs * SAMPLE_RATE) / 1000);

function join(...sounds: Int16Array[]): Int16Array {
  const whole = new Int16Array(sounds.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const sound of sounds) {
    whole.set(sound, at);
    at += sound.length;
  }
  return whole;
}

function soundOf(text: string): Int16Array {
  const found = known.find((line) => line.text === text);
  if (!found) throw new Error(`no such line: ${text}`);
  return found.sound;
}

/** Between second-long pauses, and off the recogniser's own grid of frames. */
function onTheLine(sound: Int16Array): Int16Array {
  return join(silence(1000), new Int16Array(173), sound, silence(800));
}

const overMuLaw = new WeakMap<Int16Array, Int16Array>();

/** A sound between pauses as it leaves a telephone; each is made once. */
function overTheTelephone(sound: Int16Array): Int16Array {
  const made = overMuLaw.get(sound) ?? telephone(onTheLine(sound));
  overMuLaw.set(sound, made);
  return made;
}

/** There and back through the narrow band of a telephone. */
function telephone(sound: Int16Array, codec: G711 = PCMU): Int16Array {
  const narrow = resample(sound, SAMPLE_RATE, 8000);
  return resample(codec.decode(codec.encode(narrow)), 8000, SAMPLE_RATE);
}

function amplify(sound: Int16Array, decibels: number): Int16Array {
  const factor = 10 ** (decibels / 20);
  return sound.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * factor))));
}

/** The same numbers in every run: a generator of Park and Miller. */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function addNoise(sound: Int16Array, belowDb: number, random: () => number): Int16Array {
  const loud = sound.filter((sample) => Math.abs(sample) > 100);
  const rms = Math.sqrt(loud.reduce((sum, sample) => sum + sample * sample, 0) / loud.length);
  const amplitude = rms * 10 ** (-belowDb / 20);
  // Three uniform numbers make a good enough bell of variance 1.
  const bell = () => 2 * (random() + random() + random() - 1.5);
  return sound.map((sample) => Math.max(-32_768, Math.min(32_767, sample + amplitude * bell())));
}

/** Loses packets of 20 ms: silence in their place. */
function losePackets(sound: Int16Array, share: number, random: () => number): Int16Array {
  const lossy = sound.slice();
  for (let at = 0; at < sound.length; at += 320) {
    if (random() < share) lossy.fill(0, at, at + 320);
  }
  return lossy;
}

/** Leaves packets out or plays them twice, as a jitter buffer does that follows the clock. */
function shiftPackets(sound: Int16Array, share: number, random: () => number): Int16Array {
  const packets: Int16Array[] = [];
  for (let at = 0; at < sound.length; at += 320) {
    const packet = sound.subarray(at, at + 320);
    const dice = random() / share;
    if (dice < 0.5) continue;
    packets.push(packet);
    if (dice < 1) packets.push(packet);
  }
  return join(...packets);
}

/** What every known line was taken for, where it was not itself; and the unknown ones that were known. */
function confusions(distort: (sound: Int16Array) => Int16Array): string[] {
  const wrong: string[] = [];
  const tell = (told: Told[]) =>
    told.map(({ text, complete }) => `${text} (${complete})`).join(', ');
  for (const { text, sound } of known) {
    const told = listen(distort(sound)).filter(({ endedAt }) => endedAt > 1000);
    if (told.length !== 1 || told[0]?.text !== text || !told[0].complete) {
      wrong.push(`${text} → ${tell(told)}`);
    }
  }
  for (const [index, sound] of unknown.entries()) {
    const told = listen(distort(sound));
    if (told.length === 0 || told.some(({ text }) => text !== null)) {
      wrong.push(`${UNKNOWN[index]} → ${tell(told)}`);
    }
  }
  return wrong;
}

describe('what reaches the ears over a telephone is told apart, and what is unknown stays unknown', () => {
  test('through µ-law', () => expect(confusions(overTheTelephone)).toEqual([]));

  test('through A-law, 20 dB quieter', () =>
    expect(confusions((sound) => telephone(amplify(onTheLine(sound), -20), PCMA))).toEqual([]));

  test('through µ-law, so loud that it clips', () =>
    expect(confusions((sound) => telephone(amplify(onTheLine(sound), 10)))).toEqual([]));

  test('through µ-law, in noise 15 dB below the voice', () => {
    const random = randomness(7);
    expect(confusions((sound) => telephone(addNoise(onTheLine(sound), 15, random)))).toEqual([]);
  });

  test('through µ-law, with 2 % of the packets lost', () => {
    const random = randomness(11);
    expect(confusions((sound) => losePackets(overTheTelephone(sound), 0.02, random))).toEqual([]);
  });

  test('through µ-law, with packets left out and played twice', () => {
    const random = randomness(13);
    expect(confusions((sound) => shiftPackets(overTheTelephone(sound), 0.04, random))).toEqual([]);
  });
});

describe('what is no speech', () => {
  test('silence and the idle noise of a line give nothing at all', () => {
    const random = randomness(17);
    const idle = Int16Array.from({ length: 5 * SAMPLE_RATE }, () =>
      Math.round(16 * (random() - 0.5)),
    );
    for (const quiet of [silence(5000), idle, telephone(idle)]) {
      let started = 0;
      const recogniser = new Recogniser(lines);
      recogniser.onSpeechStart(() => (started += 1));
      recogniser.onHeard(() => (started += 1));
      recogniser.feed(quiet);
      recogniser.flush();
      expect(started).toBe(0);
    }
  });

  test('a line that is muted on its way gives nothing', () => {
    const { sound } = known[0]!;
    expect(listen(onTheLine(sound))).toHaveLength(1);
    expect(listen(onTheLine(sound.map(() => 0)))).toEqual([]);
  });

  test('music, a ringing tone and noise are heard as nothing that is known', () => {
    const random = randomness(19);
    const tone = (hertz: readonly number[], at: number) =>
      hertz.reduce((sum, one) => sum + Math.sin((2 * Math.PI * one * at) / SAMPLE_RATE), 0);
    const notes = [262, 330, 392, 523];
    const music = Int16Array.from({ length: 4 * SAMPLE_RATE }, (_, at) => {
      const note = notes[Math.floor(at / 8000) % notes.length]!;
      return 4000 * Math.exp(-(at % 8000) / 6000) * tone([note, 2 * note, 3 * note], at);
    });
    const ringing = Int16Array.from(
      { length: 2 * SAMPLE_RATE },
      (_, at) => 4000 * tone([440, 480], at),
    );
    const noise = Int16Array.from({ length: 3 * SAMPLE_RATE }, () => 8000 * (random() - 0.5));
    for (const sound of [music, ringing, noise]) {
      const told = listen(onTheLine(sound));
      expect(told.length).toBeGreaterThan(0);
      expect(told.every(({ text }) => text === null)).toBe(true);
    }
  });
});

describe('how a line is spoken', () => {
  const receptionist = 'Hello, this is the receptionist. How can I help you?';

  test('one that is broken off says how much was heard', () => {
    const whole = soundOf(receptionist);
    const [told, ...more] = listen(
      join(silence(500), whole.subarray(0, whole.length / 2), silence(1500)),
    );
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      text: receptionist,
      complete: false,
      heardFrom: expect.closeTo(0, 1),
    });
    expect(told?.heardTo).toBeCloseTo(0.5, 1);
    expect(told?.latencyMs).toBeLessThan(450);
  });

  test('one whose beginning was lost says so', () => {
    const late = soundOf(receptionist).subarray(0.6 * SAMPLE_RATE);
    const [told] = listen(join(silence(500), late, silence(1500)));
    expect(told).toMatchObject({ text: receptionist, complete: false });
    expect(told?.heardFrom).toBeGreaterThan(0.1);
  });

  test.each([0, 100, 400, 900])('three in a row, %d ms apart, are told in order', (gapMs) => {
    const texts = ['Yes, please.', 'I would like to book a table for two.', 'Thank you. Goodbye.'];
    const row = texts.flatMap((text) => [soundOf(text), silence(gapMs)]);
    const told = listen(telephone(join(silence(500), ...row, silence(1500))));
    expect(told.map(({ text, complete }) => [text, complete])).toEqual(
      texts.map((text) => [text, true]),
    );
  });

  test('one that is broken off by another does not hide it', () => {
    const begun = soundOf(receptionist).subarray(0, SAMPLE_RATE);
    const told = listen(
      join(silence(500), begun, silence(60), soundOf('Tomorrow at seven.'), silence(1500)),
    );
    expect(told.map(({ text, complete }) => [text, complete])).toEqual([
      [receptionist, false],
      ['Tomorrow at seven.', true],
    ]);
  });

  test('a text is known in every voice that was added', async () => {
    const text = 'Where are you located?';
    const voices = await Promise.all([speech.say(text), speech.say(text, { voice: AGENT_VOICE })]);
    const both = new KnownLines();
    for (const voice of voices) both.add(text, voice);
    expect(both.size).toBe(2);
    for (const voice of voices) {
      const recogniser = new Recogniser(both);
      const told: (string | null)[] = [];
      recogniser.onHeard((heard) => told.push(heard.text));
      recogniser.feed(onTheLine(voice));
      expect(told).toEqual([text]);
    }
  });

  test('one that becomes known while another is heard is recognised too', () => {
    const growing = new KnownLines();
    growing.add('Yes, please.', soundOf('Yes, please.'));
    const recogniser = new Recogniser(growing);
    const told: (string | null)[] = [];
    recogniser.onHeard((heard) => told.push(heard.text));
    recogniser.feed(join(silence(500), soundOf('Yes, please.')));
    growing.add('Tomorrow at seven.', soundOf('Tomorrow at seven.'));
    recogniser.feed(join(soundOf('Tomorrow at seven.'), silence(1000)));
    expect(told).toEqual(['Yes, please.', 'Tomorrow at seven.']);
  });
});

describe('how fast the ears are', () => {
  test('a beginning is told 60 to 100 ms after it, a whole line within 250 ms of its end', () => {
    const text = 'I would like to book a table for four.';
    const recogniser = new Recogniser(lines);
    const told: { startLagMs?: number; finalLagMs?: number } = {};
    recogniser.onSpeechStart(() => (told.startLagMs = recogniser.now - 1000));
    recogniser.onHeard((heard) => (told.finalLagMs = recogniser.now - heard.endedAt));
    recogniser.feed(join(silence(1000), soundOf(text), silence(1000)));
    expect(told.startLagMs).toBeGreaterThanOrEqual(60);
    expect(told.startLagMs).toBeLessThanOrEqual(100);
    expect(told.finalLagMs).toBeLessThanOrEqual(250);
  });

  test('the silence that ends a line can be chosen', () => {
    const [patient] = listen(onTheLine(soundOf('Tomorrow at seven.')), { endSilenceMs: 500 });
    expect(patient?.text).toBe('Tomorrow at seven.');
    expect(patient?.latencyMs).toBeGreaterThanOrEqual(500);
  });

  test('a stream costs less than 3 % of a core', () => {
    const stream = join(...known.slice(0, 12).map(({ sound }) => onTheLine(sound)));
    const recogniser = new Recogniser(lines);
    const before = process.cpuUsage();
    recogniser.feed(stream);
    const { user, system } = process.cpuUsage(before);
    const streamMs = (stream.length / SAMPLE_RATE) * 1000;
    expect((user + system) / 1000 / streamMs).toBeLessThan(0.03);
  });
});
