import type { JobRequest } from '@livekit/agents';
import { ParticipantInfo, ParticipantInfo_Kind } from '@livekit/protocol';
import { describe, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { CallSlots } from './call-slots.ts';

const AGENT = new ParticipantInfo({ kind: ParticipantInfo_Kind.AGENT });

function setUp(options: { capacity?: number; inRoom?: ParticipantInfo[] } = {}) {
  const running: { id: string; room: string }[] = [];
  const answers: string[] = [];
  const slots = new CallSlots({
    capacity: options.capacity ?? 2,
    running: () => running,
    rooms: { listParticipants: async () => options.inRoom ?? [] },
    log: createLog('test', 'fatal'),
  });
  const ask = async (id: string, room = id) => {
    const request = {
      id,
      room: { name: room },
      accept: async () => void answers.push(`${id} accepted`),
      reject: async () => void answers.push(`${id} refused`),
    };
    await slots.answer(request as unknown as JobRequest);
  };
  return { slots, running, answers, ask };
}

describe('CallSlots', () => {
  it('takes no more calls than it may, counting those that are accepted and do not run yet', async () => {
    const { slots, running, answers, ask } = setUp();
    await ask('a');
    await ask('b');
    await ask('c');
    expect(answers).toEqual(['a accepted', 'b accepted', 'c refused']);
    running.push({ id: 'a', room: 'a' }, { id: 'b', room: 'b' });
    expect(slots.taken).toBe(2);
    expect(slots.load).toBe(1);
    running.length = 0;
    await ask('d');
    expect(answers.at(-1)).toBe('d accepted');
  });

  it('refuses a second agent for a room, wherever the first runs', async () => {
    const here = setUp();
    await here.ask('a', 'room');
    await here.ask('b', 'room');
    expect(here.answers).toEqual(['a accepted', 'b refused']);
    const elsewhere = setUp({ inRoom: [AGENT] });
    await elsewhere.ask('a');
    expect(elsewhere.answers).toEqual(['a refused']);
  });

  it('takes nothing any more once it drains, and calls itself full', async () => {
    const { slots, answers, ask } = setUp();
    slots.drain();
    await ask('a');
    expect(answers).toEqual(['a refused']);
    expect(slots.load).toBe(1);
  });
});
