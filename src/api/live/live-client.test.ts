import { expect, it } from 'vitest';
import { LiveClient } from './live-client.ts';
import { LiveMessage } from './live-message.ts';
import type { CloseReason, LiveSink } from './live-sink.ts';

const limits = { bytes: 10_000, messages: 20, ms: 60_000 };
const everything = { types: undefined, calls: undefined };

/** A connection whose other end takes messages only when told to. */
class StuckSink implements LiveSink {
  readonly transport = 'sse';
  readonly untaken: (() => void)[] = [];
  closed: CloseReason | undefined;
  write(_message: LiveMessage, done: () => void): void {
    this.untaken.push(done);
  }
  sizeOf({ json }: LiveMessage): number {
    return json.length;
  }
  probe(): boolean {
    return true;
  }
  close(reason: CloseReason): void {
    this.closed = reason;
  }
  onClosed(): void {}
}

function watch(): { sink: StuckSink; client: LiveClient; overflows: () => number } {
  const sink = new StuckSink();
  let overflows = 0;
  const client = new LiveClient({
    sink,
    filter: everything,
    holder: { id: 'root' },
    limits,
    onOverflow: () => {
      overflows += 1;
    },
    onClosed: () => undefined,
  });
  return { sink, client, overflows: () => overflows };
}

const message = (n: number, bytes = 1) =>
  new LiveMessage(`${n}-0`, { type: 'state', call: 'call_x' }, JSON.stringify('x'.repeat(bytes)));

it.each([
  ['bytes', 3000, 3],
  ['messages', 1, 20],
])('lets no more wait for a client than it may: %s', (_what, bytes, most) => {
  const { sink, client, overflows } = watch();
  for (let n = 1; n <= 1000; n += 1) client.offer(message(n, bytes));
  expect(sink.untaken).toHaveLength(most);
  expect(client.pending.bytes).toBeLessThanOrEqual(limits.bytes);
  expect(client.pending.messages).toBe(most);
  expect(sink.closed).toBe('overflow');
  expect(overflows()).toBe(1);
});

it('goes on for as long as a client reads', () => {
  const { sink, client } = watch();
  for (let n = 1; n <= 1000; n += 1) {
    client.offer(message(n, 3000));
    sink.untaken.shift()?.();
  }
  expect(sink.closed).toBeUndefined();
  expect(client.pending).toEqual({ bytes: 0, messages: 0 });
});

it('passes one message that is larger than all that may wait', () => {
  const { sink, client } = watch();
  client.offer(message(1, 50_000));
  expect(sink.closed).toBeUndefined();
  client.offer(message(2));
  expect(sink.closed).toBe('overflow');
});

it('sends nothing that the client had before', () => {
  const { sink, client } = watch();
  client.resumeAt('5-0');
  for (const n of [4, 5, 6, 7]) client.offer(message(n));
  expect(sink.untaken).toHaveLength(2);
});
