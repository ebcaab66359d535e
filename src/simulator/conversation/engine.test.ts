import pino from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import { KnownLines } from '../known-lines.ts';
import { Faults } from '../faults.ts';
import { SAMPLE_RATE } from '../leg.ts';
import { Recogniser } from '../recogniser.ts';
import { Pace } from '../pace.ts';
import { Script } from '../script.ts';
import { Speech } from '../speech.ts';
import { VendorDiary } from '../vendor-diary.ts';
import { Ear } from './ear.ts';
import { ConversationEngine } from './engine.ts';
import { LedgerClient } from './ledger-client.ts';
import type { ConversationEvent, ConversationReport } from './report.ts';
import { requireConversation } from './schema.ts';
import { WireLeg } from './wire.ts';

const GREETING = 'Hello, this is the front desk. How can I help you?';
const AGENT = 'sim-agent';

/** What the agent at the far end of the wire does; it speaks and recognises for real. */
type Agent = {
  speech: Speech;
  greeting?: string | undefined;
  /** Answers to the caller's lines. */
  answers?: Record<string, string | undefined>;
  /** Falls silent when the caller speaks. */
  yields?: boolean;
  /** Hangs up after saying this. */
  hangsUpAfter?: string;
  answerMs?: number;
  leg?: (leg: WireLeg) => void;
};

function bench(agent: Agent) {
  const agentLines = new KnownLines();
  const callerLines = new KnownLines();
  const script = new Script();
  const faults = new Faults();
  const pace = new Pace();
  const diary = new VendorDiary();
  const legs: WireLeg[] = [];
  const keys: string[] = [];
  const work: Promise<void>[] = [];
  const say = async (leg: WireLeg, text: string, signal: AbortSignal) => {
    const sound = await agent.speech.say(text, { voice: AGENT });
    agentLines.add(text, sound);
    await leg.play(sound, signal);
    if (agent.hangsUpAfter === text) await leg.hangUp();
  };
  const answerPhone = async (leg: WireLeg) => {
    let speaking = new AbortController();
    const ears = new Recogniser(callerLines);
    const ear = new Ear(leg, ears);
    leg.onKey((key) => keys.push(key));
    ears.onSpeechStart(() => {
      if (agent.yields) speaking.abort(new Error('interrupted'));
    });
    ears.onHeard((heard) => {
      const answer = agent.answers?.[heard.text ?? ''];
      if (answer === undefined) return;
      speaking = new AbortController();
      work.push(say(leg, answer, speaking.signal));
    });
    if (agent.leg) {
      const { greeting } = agent;
      if (greeting !== undefined) {
        agentLines.add(greeting, await agent.speech.say(greeting, { voice: AGENT }));
      }
      agent.leg(leg);
    } else {
      leg.pickUp();
      if (agent.greeting !== undefined) work.push(say(leg, agent.greeting, speaking.signal));
    }
    await leg.ended;
    ear.close();
  };
  const engine = new ConversationEngine({
    speech: agent.speech,
    agentLines,
    callerLines,
    ledger: new LedgerClient({ url: 'http://127.0.0.1:1', apiKey: 'none' }),
    telephony: {
      dial: () => {
        const { caller, agent: far } = WireLeg.pair();
        legs.push(caller);
        work.push(answerPhone(far));
        return Promise.resolve(caller);
      },
      expectCalls: () => {
        throw new Error('nothing is ordered here');
      },
    },
    script,
    faults,
    pace,
    diary,
    log: pino({ level: 'silent' }),
  });
  const events: ConversationEvent[] = [];
  const run = async (yaml: string, record = false): Promise<ConversationReport> => {
    const conversation = requireConversation(yaml, 'test.yaml');
    const report = await engine.run(conversation, 'test', {
      record,
      tell: (event) => events.push(event),
      signal: new AbortController().signal,
    });
    await Promise.all(work);
    return report;
  };
  return { run, events, script, keys };
}

const CALL = 'call: { to: "+12025550110" }';
const failures = (report: ConversationReport) =>
  report.calls.flatMap((call) => call.checks.filter((check) => !check.ok).map(({ what }) => what));

describe.concurrent('a conversation over a wire', () => {
  const speech = new Speech();
  beforeAll(async () => {
    await speech.say(GREETING, { voice: AGENT });
  });

  it('passes when every line is heard, and measures each at the ear', async () => {
    const question = 'What are your opening hours?';
    const answer = 'We are open from nine to five.';
    const { run, keys } = bench({
      speech,
      greeting: GREETING,
      answers: { [question]: answer },
    });
    const report = await run(`
${CALL}
steps:
  - agent: { says: "${GREETING}", within_ms: 10000 }
  - caller: { says: "${question}" }
  - agent: { says: "${answer}", replies_within_ms: 10000 }
  - caller: { presses: "1#" }
  - caller: { hangs_up: true }
expect: { heard_first_word_within_ms: 10000 }
`);
    expect(failures(report)).toEqual([]);
    expect(report.passed).toBe(true);
    const [call] = report.calls;
    expect(call?.lines.map(({ who, text }) => [who, text])).toEqual([
      ['agent', GREETING],
      ['caller', question],
      ['agent', answer],
    ]);
    const [greeted, asked, answered] = call?.lines ?? [];
    expect(greeted?.confidence).toBeGreaterThan(0.7);
    expect(answered?.replyMs).toBeGreaterThan(50);
    expect(answered?.startedAt).toBeGreaterThan(asked?.endedAt ?? Infinity);
    expect(call?.measures).toEqual([
      { name: 'dialling_to_answer', ms: call?.answeredAfterMs },
      { name: 'answer_to_first_word', ms: Math.round(greeted?.replyMs ?? NaN) + 0 },
      { name: 'caller_to_reply', ms: Math.round(answered?.replyMs ?? NaN) + 0 },
    ]);
    expect(call?.end?.by).toBe('local');
    expect(keys).toEqual(['1', '#']);
  });

  it.each([
    ['takes one sound too short to tell before a line for a stutter', 1, true],
    ['does not take two of them for one', 2, false],
  ])('%s', async (_what, stutters, passed) => {
    const greeting = await speech.say(GREETING, { voice: AGENT });
    const { run } = bench({
      speech,
      greeting: GREETING,
      leg: (leg) => {
        leg.pickUp();
        const silence = new Int16Array(SAMPLE_RATE / 2);
        const stutter = greeting.subarray(0, 0.3 * SAMPLE_RATE);
        const sounds = Array.from({ length: stutters }, () => [stutter, silence]).flat();
        void (async () => {
          for (const sound of [...sounds, greeting]) await leg.play(sound);
        })();
      },
    });
    const report = await run(`${CALL}\nsteps:\n  - agent: { says: "${GREETING}" }`);
    expect(report.passed, failures(report).join()).toBe(passed);
    expect(report.calls[0]?.lines.map(({ text }) => text)).toContain(null);
  });

  it('fails when the agent says something else, and tells what was heard instead', async () => {
    const other = 'Good evening, the office is closed.';
    const { run } = bench({ speech, greeting: other });
    const report = await run(`${CALL}\nsteps:\n  - agent: { says: "${GREETING}" }`);
    expect(report.passed).toBe(false);
    expect(report.calls[0]?.lines.map(({ text }) => text)).toEqual([other]);
    expect(failures(report)[0]).toMatch(/expected all of .*, heard else/);
  });

  it('fails when the end of a line is missing', async () => {
    const whole = 'I can help you with that. Please tell me your name and your number.';
    const cut: Agent = {
      speech,
      leg: (leg) => {
        leg.pickUp();
        void speech
          .say(whole, { voice: AGENT })
          .then((sound) => leg.play(sound.subarray(0, sound.length * 0.6)));
      },
    };
    const { run } = bench({ ...cut, answers: {} });
    // The far end speaks the beginning only; the line itself is known from a first call.
    const known = bench({ speech, greeting: whole });
    expect((await known.run(`${CALL}\nsteps:\n  - agent: { says: "${whole}" }`)).passed).toBe(true);
    const report = await run(`${CALL}\nsteps:\n  - agent: { says: "${whole}" }`);
    expect(report.passed).toBe(false);
  });

  it.each(['send', 'receive'] as const)('fails when the direction %s is muted', async (mute) => {
    const question = 'Is anybody there?';
    const { run } = bench({
      speech,
      greeting: GREETING,
      answers: { [question]: 'Yes, I am listening.' },
    });
    const report = await run(`
${CALL}
mute: ${mute}
steps:
  - agent: { says: "${GREETING}", within_ms: 500 }
  - caller: { says: "${question}" }
  - agent: { says: "Yes, I am listening.", replies_within_ms: 500 }
`);
    expect(failures(report)[0]).toMatch(/waited .* ms for the agent to speak; no sound came/);
  });

  it('measures how fast the agent falls silent when the caller breaks in', async () => {
    const long =
      'Let me tell you everything about our company. It was founded a very long time ago, by two brothers.';
    const { run } = bench({
      speech,
      greeting: long,
      yields: true,
      answers: { 'Stop, please stop.': 'Of course.' },
    });
    const report = await run(`
${CALL}
steps:
  - agent: { says: "${long}", interrupted: true }
  - caller: { says: "Stop, please stop.", interrupts: { after_ms: 1500, silence_within_ms: 3000 } }
  - agent: { says: "Of course." }
`);
    expect(failures(report)).toEqual([]);
    expect(report.calls[0]?.lines.filter((line) => line.interrupted)).toHaveLength(1);
    const silence = report.calls[0]?.measures.find(({ name }) => name === 'break_in_to_silence');
    expect(silence?.ms).toBeGreaterThan(0);
    expect(silence?.ms).toBeLessThanOrEqual(3000);
  });

  it.each([
    ['counts an agent that begins before a hesitant caller has finished', 'One moment please.', 1],
    ['does not count one that waits', undefined, 0],
  ])('%s', async (_what, early, cutIns) => {
    const { run } = bench({
      speech,
      greeting: GREETING,
      answers: { 'My name is': early, 'Anna Baker.': 'Thank you.' },
    });
    const report = await run(`
${CALL}
steps:
  - agent: { says: "${GREETING}" }
  - caller: { hesitates: ["My name is", 1500, "Anna Baker."] }
  - agent: { says: "Thank you." }
`);
    expect(failures(report)).toEqual([]);
    expect(report.calls[0]).toMatchObject({ hesitations: 1, cutIns });
  });

  it('fails when the agent speaks on although the caller breaks in', async () => {
    const long =
      'Let me tell you everything about our company. It was founded a very long time ago, by two brothers.';
    const { run } = bench({ speech, greeting: long });
    const report = await run(`
${CALL}
steps:
  - agent: { interrupted: true }
  - caller: { says: "Stop.", interrupts: { after_ms: 1000, silence_within_ms: 600 } }
`);
    expect(report.passed).toBe(false);
  });

  it('tells a hang-up by the agent from a line that broke', async () => {
    const { run } = bench({ speech, greeting: GREETING, hangsUpAfter: GREETING });
    const asked = await run(`${CALL}\nsteps:\n  - agent: { says: "${GREETING}", hangs_up: true }`);
    expect(failures(asked)).toEqual([]);
    const unasked = await run(`
${CALL}
steps:
  - agent: { says: "${GREETING}" }
  - caller: { silence_ms: 3000 }
`);
    expect(failures(unasked)[0]).toContain("the agent's side ended the call");
  });

  it('fails when the call is answered late, and tells how late', async () => {
    const { run } = bench({
      speech,
      leg: (leg) => void setTimeout(() => leg.pickUp(), 300),
    });
    const expecting = (limit: number) =>
      `${CALL}\nsteps:\n  - caller: { hangs_up: true }\nexpect: { answered_within_ms: ${limit} }`;
    expect(failures(await run(expecting(10_000)))).toEqual([]);
    expect(failures(await run(expecting(100)))).toEqual([
      expect.stringMatching(/^answered after ([3-9]\d\d|[\d,]{5,}) ms \(at most 100 ms\)$/),
    ]);
  });

  it('tells that a call was refused', async () => {
    const { run } = bench({ speech, leg: (leg) => leg.refuse(486) });
    const wanted = await run(`${CALL}\nexpect: { answered: false, sip_status: 486 }`);
    expect(failures(wanted)).toEqual([]);
    const unwanted = await run(`${CALL}\nsteps:\n  - agent: { says: "${GREETING}" }`);
    expect(failures(unwanted)).toEqual(['the call was not answered: refused (486)']);
  });

  it('holds several calls at once and leaves each as sound', async () => {
    const { run, events } = bench({ speech, greeting: GREETING });
    const report = await run(
      `${CALL}\nparallel: 2\nsteps:\n  - agent: { says: "${GREETING}", within_ms: 10000 }`,
      true,
    );
    expect(failures(report)).toEqual([]);
    expect(report.calls).toHaveLength(2);
    const sounds = events.flatMap((event) => (event.type === 'recording' ? [event] : []));
    expect(new Set(sounds.map(({ call }) => call))).toEqual(new Set(['call 1', 'call 2']));
    expect(sounds).toHaveLength(2);
    const wav = Buffer.from(sounds[0]?.wavBase64 ?? '', 'base64');
    expect(wav.readUInt16LE(22)).toBe(2);
    expect(wav.readUInt32LE(24)).toBe(16_000);
  });

  it('reports an api that does not answer as a failed check', async () => {
    const { run } = bench({ speech, greeting: GREETING });
    const report = await run(`${CALL}\nexpect: { outcome: completed }`);
    expect(failures(report)[0]).toContain('The api does not answer');
  });
});
