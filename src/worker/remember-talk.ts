import { voice } from '@livekit/agents';
import type { MemoryWriter } from '../call/memory-writer.ts';

type TextOutput = NonNullable<voice.AgentSession['output']['transcription']>;

/** Has the memory follow what happens between the turns of a session, which is its owner's to close. */
export function rememberTalk(session: voice.AgentSession, memory: MemoryWriter): void {
  const events = voice.AgentSessionEventTypes;
  let hearing: string[] = [];
  session.on(events.UserInputTranscribed, ({ transcript, isFinal }) => {
    if (!isFinal || transcript.trim() === '') return;
    hearing.push(transcript.trim());
    memory.hears(hearing.join(' '));
  });
  session.on(events.ConversationItemAdded, ({ item }) => {
    if (item.type === 'message' && item.role === 'user') hearing = [];
  });
  session.on(events.AgentStateChanged, ({ newState }) => {
    if (newState === 'listening') memory.silent();
  });
  session.on(events.FunctionToolsExecuted, ({ functionCalls, functionCallOutputs }) => {
    for (const [index, { callId: id, name }] of functionCalls.entries()) {
      const result = functionCallOutputs[index];
      if (!result) continue;
      memory.toolAnswered({ id, name, output: result.output, isError: result.isError });
    }
  });
}

/**
 * Has the memory follow how much of its words the agent has said. The framework passes them on to the room in step
 * with the sound; that link of its chain is watched, since one of our own would have to keep count of segments.
 */
export function rememberSaid(session: voice.AgentSession, memory: MemoryWriter): void {
  const synced = session.output.transcription;
  // The link to the next is protected.
  const room = synced ? (Reflect.get(synced, 'nextInChain') as TextOutput | undefined) : undefined;
  if (!room) return;
  const capture = room.captureText.bind(room);
  const flush = room.flush.bind(room);
  let said = '';
  room.captureText = async (text) => {
    said += typeof text === 'string' ? text : text.text;
    memory.said(said);
    await capture(text);
  };
  room.flush = () => {
    said = '';
    flush();
  };
}
