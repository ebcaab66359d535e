import { AsyncLocalStorage } from 'node:async_hooks';
import { RoomEvent } from '@livekit/rtc-node';
import { describe, expect, it } from 'vitest';
import { newCallId } from '../../call/call-id.ts';
import { CallRoom } from './call-room.ts';
import { CallScope } from './call-scope.ts';

/** As native code calls: outside of everything. */
const outside = AsyncLocalStorage.snapshot();

describe('CallRoom', () => {
  it('has its listeners know their call, wherever the event comes from', async () => {
    const scope = new CallScope();
    const [one, other] = [newCallId(), newCallId()];
    const heard: unknown[] = [];
    const open = (id: typeof one) =>
      scope.run(`job of ${id}`, () => {
        const room = new CallRoom();
        room.on(RoomEvent.Reconnected, () => heard.push(scope.fields()));
        scope.identify(id);
        return room;
      });
    const rooms = [open(one), open(other)];
    outside(() => {
      for (const room of rooms) room.emit(RoomEvent.Reconnected);
      heard.push(scope.fields());
    });
    expect(heard).toEqual([{ call: one }, { call: other }, {}]);
    for (const room of rooms) await room.leave();
  });

  it('tells the job until the call has a name', () => {
    const scope = new CallScope();
    scope.run('AJ_1', () => expect(scope.fields()).toEqual({ job: 'AJ_1' }));
  });

  it('leaves no listener behind, and can be left without ever having been entered', async () => {
    const room = new CallRoom();
    room.on(RoomEvent.Reconnected, () => undefined);
    await room.leave();
    expect(room.listenerCount(RoomEvent.Reconnected)).toBe(0);
  });
});
