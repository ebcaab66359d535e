import { voice, type llm } from '@livekit/agents';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import { Releases } from '../platform/releases.ts';
import { CallAgent } from './call-agent.ts';
import { closeSession } from './close-session.ts';
import { HUNG_UP, LOST, MUTE, SILENT, TIME_IS_UP } from './conversation-end.ts';
import type { ConversationOptions } from './conversation-options.ts';
import {
  CLOSING_MS,
  GREETING_MS,
  HELLO_MS,
  LISTEN_FIRST_MS,
  TAIL_MS,
} from './conversation-times.ts';
import { PreparedSpeech } from './prepared-speech.ts';
import { rememberSaid, rememberTalk } from './remember-talk.ts';
import type { Resumption } from './resumption.ts';
import { sessionOptions } from './session-options.ts';
import { SilenceWatch } from './silence-watch.ts';
import { soundSample } from './sound/sound-sample.ts';
import { SoundWatch } from './sound/sound-watch.ts';
import { turnOf } from './turn-report.ts';
import { LastBreakOff } from './turn-taking/broken-off.ts';
import { WordsDetector } from './turn-taking/words-detector.ts';
import { VendorWatch, type Part } from './vendor-watch.ts';
import { within } from './within.ts';

/**
 * What the agent and the far end say to each other: from before the answer, when everything is made ready
 * but nothing is said or heard, to the end of the call.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #releases = new Releases();
  readonly #session: voice.AgentSession;
  readonly #vendors: VendorWatch;
  readonly #silence: SilenceWatch;
  readonly #sound: SoundWatch;
  readonly #greeting: PreparedSpeech | undefined;
  readonly #excuse: PreparedSpeech | undefined;
  readonly #words: WordsDetector | undefined;
  readonly #breakOff = new LastBreakOff();
  #begun = false;
  #greeted = false;
  #paused = false;
  #closed = false;

  private constructor(options: ConversationOptions) {
    const { settings, speech, vad } = options;
    this.#options = options;
    this.#vendors = new VendorWatch(settings.vendors, (end, part) => void this.#fail(end, part));
    this.#silence = new SilenceWatch(settings.silence, {
      ask: () => {
        this.#say(settings.words.stillThere);
      },
      hangUp: () => this.#end(this.#sound.callerMute ? MUTE : SILENT),
    });
    this.#sound = new SoundWatch({
      sample: () => soundSample(options.room),
      onMute: (side) => options.onSign(`${side}_soundless`),
      onCallerDead: () => this.#end(MUTE),
      onAgentDead: () => this.#vendors.fail('tts', 'gave no sound that can be heard'),
    });
    // The framework reports a failed voice through an event that somebody must listen to.
    const ignore = () => undefined;
    speech.tts.on('error', ignore);
    this.#releases.add('voice errors', () => speech.tts.off('error', ignore));
    const prepare = (words: string | undefined) => {
      if (words === undefined) return undefined;
      const { shelf, voice: name } = options.spoken;
      const memory = { shelf, key: `${name}\n${words}` };
      const prepared = new PreparedSpeech(words, speech.tts, memory);
      this.#releases.add('prepared speech', () => prepared.close());
      return prepared;
    };
    const { resumption } = options;
    const greets = !resumption || resumption.next.kind === 'greet';
    this.#greeting = greets ? prepare(settings.greeting) : undefined;
    this.#greeted = !greets;
    this.#excuse = prepare(resumption?.words);
    this.#words = WordsDetector.of(settings.turn, vad);
    const session = sessionOptions(settings.turn, this.#words);
    this.#session = new voice.AgentSession({ ...session, ...speech, vad });
  }

  /** Resolves when the agent is ready to hear and speak; until `begin` it does neither. */
  static async start(options: ConversationOptions): Promise<Conversation> {
    const conversation = new Conversation(options);
    try {
      await conversation.#start();
    } catch (thrown) {
      await conversation.close();
      throw thrown;
    }
    return conversation;
  }

  async #start(): Promise<void> {
    const session = this.#session;
    const { room, log } = this.#options;
    this.#releases.add('session', () => closeSession(session, room, log));
    // Before the session, whose closing waits for whoever still judges a turn.
    if (this.#words) this.#releases.add('words', this.#words.follow(session));
    this.#listen();
    // While it rings, early media (ring-back tones, announcements) is no caller's speech.
    session.input.setAudioEnabled(false);
    await session.start({
      agent: new CallAgent({
        instructions: this.#options.settings.instructions,
        history: this.#options.history,
        memory: this.#options.memory,
        voice: this.#options.speech.tts,
        hangUp: () => this.#endSoon(HUNG_UP),
        onFirstWords: (message) => this.#onFirstWords(message),
        onWords: (soFar) => this.#options.live.says(soFar),
      }),
      room,
      inputOptions: {
        participantIdentity: this.#options.phone,
        audioSampleRate: 16_000,
        textEnabled: false,
        closeOnDisconnect: false,
      },
      record: false,
    });
    rememberSaid(session, this.#options.memory);
  }

  /** What the agent speaks through. */
  get output(): voice.AudioOutput | null {
    return this.#session.output.audio;
  }

  /** The call is answered: greet, or listen first. */
  begin(): void {
    if (this.#begun || this.#closed) return;
    this.#begun = true;
    this.#session.input.setAudioEnabled(true);
    this.#sound.begin();
    const { settings, resumption, onPresent } = this.#options;
    const remainingMs = resumption?.remainingMs ?? settings.maxDurationMs;
    this.#after(remainingMs, () => this.endAfter(settings.words.timeIsUp, TIME_IS_UP));
    this.output?.once(voice.AudioOutput.EVENT_PLAYBACK_STARTED, onPresent);
    if (resumption && resumption.next.kind !== 'greet') void this.#resume(resumption);
    else if (settings.listensFirst) {
      this.#after(LISTEN_FIRST_MS, () => {
        // Who is speaking just then is answered when he has finished.
        if (this.#session.userState !== 'speaking') void this.#greet();
      });
    } else void this.#greet();
    this.#updateSilence();
  }

  /** Goes on where another agent was lost. */
  async #resume({ next }: Resumption): Promise<void> {
    const excuse = this.#excuse;
    if (excuse && (await within(excuse.ready, GREETING_MS))) {
      this.#attempt(() => this.#session.say(excuse.text, { audio: excuse.stream() }));
    }
    if (next.kind === 'say') this.#say(next.words);
    else if (next.kind === 'reply') this.#attempt(() => this.#session.generateReply(next.options));
    else if (next.kind === 'end') this.endAfter(next.words, HUNG_UP);
    else if (!excuse) this.#options.onPresent();
  }

  /** Ends the call when these words have been said. */
  endAfter(words: string, end: CallEnd): void {
    if (words === '') this.#endSoon(end);
    else void this.#sayLast(words).then(() => this.#endSoon(end));
  }

  /** While the far end may go to somebody else, it is neither listened to nor asked whether it is there. */
  pause(paused: boolean): void {
    if (!this.#begun || this.#closed) return;
    this.#paused = paused;
    this.#sound.pause(paused);
    this.#session.input.setAudioEnabled(!paused);
    this.#updateSilence();
  }

  /** Idempotent. The last turn, broken off, is reported before it resolves. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#silence.close();
    this.#sound.close();
    this.#vendors.close();
    await this.#releases.run();
  }

  #listen(): void {
    const events = voice.AgentSessionEventTypes;
    this.#options.live.follow(this.#session);
    this.#breakOff.follow(this.#session);
    rememberTalk(this.#session, this.#options.memory);
    this.#session.on(events.ConversationItemAdded, ({ item }) => {
      if (item.type !== 'message') return;
      if (item.role === 'user') this.#silence.heard();
      const turn = turnOf(item, this.#breakOff.take());
      if (turn) this.#options.onTurn(turn, item.createdAt);
    });
    this.#vendors.follow(this.#session);
    this.#session.on(events.AgentStateChanged, () => this.#updateSilence());
    this.#session.on(events.UserStateChanged, () => this.#updateSilence());
    this.#session.on(events.AgentStateChanged, ({ newState }) => this.#sound.agentState(newState));
    this.#session.on(events.Close, () => this.#end(LOST));
  }

  #updateSilence(): void {
    const { agentState, userState } = this.#session;
    const awake = this.#begun && !this.#paused;
    this.#silence.update(awake && agentState === 'listening' && userState !== 'speaking');
  }

  /** The far end spoke before the greeting, which is the answer to it where the agent listens first. */
  #onFirstWords(message: llm.ChatMessage): boolean {
    if (this.#greeted || !this.#options.settings.listensFirst || !this.#greeting) return false;
    const turn = turnOf(message);
    if (turn) this.#options.onTurn(turn, message.createdAt);
    void this.#greet();
    return true;
  }

  async #greet(): Promise<void> {
    if (this.#greeted || this.#closed) return;
    this.#greeted = true;
    const { settings } = this.#options;
    const greeting = this.#greeting;
    if (!greeting) {
      this.#attempt(() => this.#session.generateReply());
      return;
    }
    if (!(await within(greeting.ready, GREETING_MS))) {
      this.#vendors.fail('tts', 'gave no sound for the greeting');
      return;
    }
    const guarded = settings.direction === 'outbound' && !settings.listensFirst;
    this.#attempt(() => {
      const speech = this.#session.say(greeting.text, {
        audio: greeting.stream(),
        ...(guarded ? { allowInterruptions: false } : {}),
      });
      if (guarded) {
        this.#after(HELLO_MS, () => {
          if (!speech.done()) speech.allowInterruptions = settings.turn.interruptions;
        });
      }
    });
  }

  /** Where only the model failed, there still is a voice to say so. */
  async #fail(end: CallEnd, part: Part): Promise<void> {
    this.#options.onSign(`${part}_failed`);
    if (part === 'llm' && this.#begun) await this.#sayLast(this.#options.settings.words.trouble);
    this.#end(end);
  }

  async #sayLast(words: string): Promise<void> {
    const speech = this.#say(words, { allowInterruptions: false });
    if (speech) await within(speech.waitForPlayout(), CLOSING_MS);
  }

  #say(
    words: string,
    options: { allowInterruptions?: boolean } = {},
  ): voice.SpeechHandle | undefined {
    return this.#attempt(() => this.#session.say(words, options));
  }

  /** The session may be closing at any moment; then there is nothing left to say. */
  #attempt<T>(action: () => T): T | undefined {
    if (this.#closed) return undefined;
    try {
      return action();
    } catch (thrown) {
      this.#options.log.warn({ err: asError(thrown) }, 'the agent could not speak');
      return undefined;
    }
  }

  #endSoon(end: CallEnd): void {
    this.#after(TAIL_MS, () => this.#end(end));
  }

  #end(end: CallEnd): void {
    if (this.#closed) return;
    this.#silence.close();
    this.#sound.close();
    this.#vendors.close();
    this.#options.onEnd(end);
  }

  #after(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      if (!this.#closed) action();
    }, ms);
    this.#releases.add('timer', () => clearTimeout(timer));
  }
}
