import { voice } from '@livekit/agents';
import type { CallId } from '../call/call-id.ts';
import type { LivePublisher } from '../call/live/live-publisher.ts';
import { LatestOnly } from './latest-only.ts';

/** Of what is heard, and of what is said, at most five a second: more than anybody reads. */
const WORDS_MS = 200;
const STATE_MS = 100;

type Role = 'caller' | 'agent';
type States = { agent: voice.AgentState; caller: voice.UserState };

/**
 * Tells whoever watches what goes on between the turns of a call: what is heard and said so far, and who speaks,
 * listens and thinks. Of what changes quickly only the latest is told. Nothing waits for it, and it cannot fail.
 */
export class LiveTalk {
  readonly #call: CallId;
  readonly #publisher: Pick<LivePublisher, 'send'>;
  readonly #words: Record<Role, LatestOnly<string>>;
  readonly #states: LatestOnly<States>;
  /** Parts of the caller's turn that the recogniser is done with. */
  #heard: string[] = [];
  #session: voice.AgentSession | undefined;
  #begun = false;

  constructor(call: CallId, publisher: Pick<LivePublisher, 'send'>) {
    this.#call = call;
    this.#publisher = publisher;
    const words = (role: Role) =>
      new LatestOnly<string>(WORDS_MS, (text) => {
        this.#send({ type: 'conversation_turn', role, text, final: false });
      });
    this.#words = { caller: words('caller'), agent: words('agent') };
    this.#states = new LatestOnly<States>(STATE_MS, (states) => {
      this.#send({ type: 'state', ...states });
    });
  }

  /** The session is its owner's, who closes it. */
  follow(session: voice.AgentSession): void {
    this.#session = session;
    const events = voice.AgentSessionEventTypes;
    session.on(events.UserInputTranscribed, ({ transcript, isFinal }) => {
      this.hears(transcript, isFinal);
    });
    session.on(events.AgentStateChanged, () => this.#tellStates());
    session.on(events.UserStateChanged, () => this.#tellStates());
  }

  /** The call is answered: what is heard and done before is nobody's conversation. */
  begin(): void {
    this.#begun = true;
    this.#tellStates();
  }

  /** @param isDone the recogniser will not change these words any more */
  hears(words: string, isDone: boolean): void {
    const part = words.trim();
    const soFar = [...this.#heard, part].filter((text) => text !== '');
    if (isDone) this.#heard = soFar;
    if (part !== '') this.#words.caller.offer(soFar.join(' '));
  }

  /** @param soFar all that the agent says in this turn, as far as it is known */
  says(soFar: string): void {
    if (soFar.trim() !== '') this.#words.agent.offer(soFar.trim());
  }

  /** The turn is over and goes on record: nothing of it may come after that. */
  turn(role: Role): void {
    this.#words[role].drop();
    if (role === 'caller') this.#heard = [];
  }

  close(): void {
    this.#begun = false;
    for (const latest of [...Object.values(this.#words), this.#states]) latest.drop();
  }

  #tellStates(): void {
    const session = this.#session;
    if (this.#begun && session) {
      this.#states.offer({ agent: session.agentState, caller: session.userState });
    }
  }

  #send(
    what:
      | { type: 'conversation_turn'; role: Role; text: string; final: false }
      | ({ type: 'state' } & States),
  ): void {
    if (!this.#begun) return;
    this.#publisher.send({ ...what, at: new Date().toISOString(), call: this.#call });
  }
}
