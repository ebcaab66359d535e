import { ParticipantInfo, ParticipantInfo_Kind } from '@livekit/protocol';
import { describe, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { CallSlots } from './call-slots.ts';

const AGENT = new ParticipantInfo({ kind: ParticipantInfo_Kind.AGENT });

function setUp(
  options: { capacity?: number; vacancies?: number; inRoom?: ParticipantInfo[] } = {},
) {
  const running: { id: string; room: string }[] = [];
  let vacancies = options.vacancies ?? Infinity;
  const slots = new CallSlots({
    capacity: options.capacity ?? 2,
    running: () => running,
    vacancies: () => vacancies,
    rooms: { listParticipants: async () => options.inRoom ?? [] },
    log: createLog('test', 'fatal'),
  });
  return {
    slots,
    running,
    setVacancies: (count: number) => (vacancies = count),
    offer: (id: string, room = id) => slots.take({ id, room, metadata: '' }),
  };
}

describe('CallSlots', () => {
  it('takes no more calls than it may, counting those that are accepted and do not run yet', async () => {
    const { slots, running, offer } = setUp();
    expect(await Promise.all([offer('a'), offer('b'), offer('c')])).toEqual([true, true, false]);
    running.push({ id: 'a', room: 'a' }, { id: 'b', room: 'b' });
    expect(slots.taken).toBe(2);
    expect([slots.load, slots.full]).toEqual([1, true]);
    running.length = 0;
    expect(await offer('d')).toBe(true);
  });

  it('takes no more calls than the hosts have room for', async () => {
    const { slots, offer, setVacancies } = setUp({ capacity: 8, vacancies: 1 });
    expect(await Promise.all([offer('a'), offer('b')])).toEqual([true, false]);
    expect(slots.full).toBe(true);
    setVacancies(2);
    expect(slots.full).toBe(false);
  });

  it('refuses a second agent for a room, wherever the first runs', async () => {
    const here = setUp();
    expect(await Promise.all([here.offer('a', 'room'), here.offer('b', 'room')])).toEqual([
      true,
      false,
    ]);
    const elsewhere = setUp({ inRoom: [AGENT] });
    expect(await elsewhere.offer('a')).toBe(false);
    expect(elsewhere.slots.taken).toBe(0);
  });

  it('takes nothing any more once it drains, and calls itself full', async () => {
    const { slots, offer } = setUp();
    slots.drain();
    expect(await offer('a')).toBe(false);
    expect([slots.load, slots.full]).toEqual([1, true]);
  });
});
