import { agreement, agreesAsFarAsItGoes } from './script-words.ts';
import { guessLanguage } from './voices.ts';

type ToolCall = { name: string; arguments: Record<string, unknown> };

/** A turn of a conversation: what the caller says, or what the agent does then. */
export type ScriptLine =
  | { caller: string }
  | {
      agent: {
        text?: string | undefined;
        tool?: ToolCall | undefined;
        delayMs?: number | undefined;
      };
    };

/** A message of a chat, as far as the script looks at it. */
export type ScriptMessage =
  | { role: 'system' | 'user' | 'assistant'; text: string }
  /** The result of a call of the tool of that name. */
  | { role: 'tool'; name: string };

export type ScriptReply = { text?: string; toolCall?: ToolCall; delayMs?: number };

type Event =
  | { kind: 'caller'; text: string }
  | { kind: 'agent'; text: string }
  | { kind: 'result'; name: string };

/** The last turn decides; the ones before only choose between places that it fits equally. */
const LAST_TURN = 10;
const EARLIER_TURNS = 8;

const POLITE = {
  en: {
    greeting: 'Hello, how can I help you?',
    puzzled: 'I am sorry, I did not understand that. Could you say it again, please?',
    farewell: 'All right. Thank you for calling, and goodbye.',
  },
  de: {
    greeting: 'Guten Tag, wie kann ich Ihnen helfen?',
    puzzled: 'Entschuldigung, das habe ich nicht verstanden. Können Sie es bitte wiederholen?',
    farewell: 'In Ordnung. Vielen Dank für Ihren Anruf, auf Wiederhören.',
  },
} as const;

/** The brain of the LLM's stand-in: knows what the agent is to answer in conversations it was told. */
export class Script {
  readonly #conversations = new Set<readonly ScriptLine[]>();

  /** Makes a conversation known; returns what makes it forgotten. */
  register(lines: readonly ScriptLine[]): () => void {
    const conversation = [...lines];
    this.#conversations.add(conversation);
    return () => this.#conversations.delete(conversation);
  }

  /** What the agent says or does next in a chat. An empty reply lets the caller go on. */
  reply(messages: readonly ScriptMessage[]): ScriptReply {
    const history = eventsOf(messages);
    let found: { conversation: readonly ScriptLine[]; next: number } | undefined;
    let most = 0;
    for (const conversation of this.#conversations) {
      for (let next = 0; next <= conversation.length; next += 1) {
        const score = fit(conversation, next, history);
        // Of two that fit equally, the conversation registered last is the one that runs.
        if (score >= most && score > 0) [found, most] = [{ conversation, next }, score];
      }
    }
    const polite = POLITE[languageOf(messages)];
    if (!found) return { text: history.length === 0 ? polite.greeting : polite.puzzled };
    const line = found.conversation[found.next];
    if (!line) return { text: polite.farewell };
    if ('caller' in line) return {};
    const { text, tool, delayMs } = line.agent;
    return {
      ...(text === undefined ? {} : { text }),
      ...(tool === undefined ? {} : { toolCall: tool }),
      ...(delayMs === undefined ? {} : { delayMs }),
    };
  }
}

/** How well a history fits the place before `next` in a conversation; 0: not at all. */
function fit(conversation: readonly ScriptLine[], next: number, history: readonly Event[]): number {
  const last = history.at(-1);
  const line = conversation[next - 1];
  if (!line || !last)
    return !line && !last && conversation.length > 0 && isAgent(conversation[0]) ? 1 : 0;
  const matched = matches(line, last);
  if (matched === 0) return 0;
  let score = LAST_TURN * matched;
  let at = history.length - 2;
  for (let earlier = next - 2; earlier >= Math.max(0, next - 1 - EARLIER_TURNS); earlier -= 1) {
    const found = history.findLastIndex(
      (event, index) => index <= at && matches(conversation[earlier]!, event) > 0,
    );
    // A turn that is missing was perhaps interrupted before a word of it was spoken.
    score += found < 0 ? -0.5 : 1;
    if (found >= 0) at = found - 1;
  }
  return Math.max(0.1, score - 0.25 * Math.min(EARLIER_TURNS, at + 1));
}

function matches(line: ScriptLine, event: Event): number {
  if ('caller' in line) return event.kind === 'caller' ? agreement(line.caller, event.text) : 0;
  if (event.kind === 'result') return line.agent.tool?.name === event.name ? 1 : 0;
  const { text, tool } = line.agent;
  if (event.kind === 'caller' || text === undefined || tool) return 0;
  return agreesAsFarAsItGoes(text, event.text) ? 1 : 0;
}

function isAgent(line: ScriptLine | undefined): boolean {
  return line !== undefined && 'agent' in line;
}

/** The turns of a chat; what one side says in several messages is one turn. */
function eventsOf(messages: readonly ScriptMessage[]): Event[] {
  const events: Event[] = [];
  const speak = (kind: 'caller' | 'agent', text: string) => {
    const last = events.at(-1);
    if (text.trim() === '') return;
    if (last?.kind === kind) last.text += ` ${text}`;
    else events.push({ kind, text });
  };
  for (const message of messages) {
    switch (message.role) {
      case 'system':
        break;
      case 'user':
        speak('caller', message.text);
        break;
      case 'assistant':
        speak('agent', message.text);
        break;
      case 'tool':
        events.push({ kind: 'result', name: message.name });
        break;
    }
  }
  return events;
}

function languageOf(messages: readonly ScriptMessage[]): 'de' | 'en' {
  const said = messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));
  const told = messages.flatMap((message) => (message.role === 'system' ? [message.text] : []));
  if (told.some((text) => /\b(?:german|deutsch)\b/i.test(text))) return 'de';
  return guessLanguage([...told, ...said].join(' '));
}
