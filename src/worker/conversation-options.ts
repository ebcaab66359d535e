import type { llm, VAD } from '@livekit/agents';
import type { Room } from '@livekit/rtc-node';
import type { MemoryWriter } from '../call/memory-writer.ts';
import type { CallEnd } from '../call/outcome.ts';
import type { SpeechComponents } from '../personality/providers/create-speech-components.ts';
import type { Log } from '../platform/log.ts';
import type { CallSign } from './call-sign.ts';
import type { ConversationSettings } from './conversation-settings.ts';
import type { LiveTalk } from './live-talk.ts';
import type { Resumption } from './resumption.ts';
import type { SpokenShelf } from './speaking/spoken-shelf.ts';
import type { Turn } from './turn-report.ts';

export type ConversationOptions = {
  room: Room;
  /** Identity of the far end's participant, who may join later. */
  phone: string;
  settings: ConversationSettings;
  speech: SpeechComponents;
  /** What was spoken before, and the name of this voice there. */
  spoken: { shelf: SpokenShelf; voice: string };
  vad: VAD;
  log: Log;
  /** Told what goes on between the turns. */
  live: LiveTalk;
  /** Follows what goes on, for whoever may have to go on with it. */
  memory: MemoryWriter;
  /** Of a conversation that another agent began: what was said, and how to go on. */
  history?: llm.ChatContext | undefined;
  resumption?: Resumption | undefined;
  /**
   * Called for each finished turn, in order.
   *
   * @param at when it began, ms since the epoch
   */
  onTurn: (turn: Turn, at: number) => void;
  /** Called once the agent is heard, or listens where it has nothing to say. */
  onPresent: () => void;
  /** Called when something is wrong within the call, which may go on. */
  onSign: (sign: CallSign) => void;
  /** Called when the agent, a limit or a failure ends the call. The room is the caller's to delete. */
  onEnd: (end: CallEnd) => void;
};
