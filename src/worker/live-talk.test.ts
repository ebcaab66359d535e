import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newCallId } from '../call/call-id.ts';
import type { LiveBody } from '../call/live/live-event.ts';
import { LiveTalk } from './live-talk.ts';

let told: LiveBody[];
let talk: LiveTalk;
const call = newCallId();
const texts = () => told.map((body) => ('text' in body ? body.text : body.type));

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  talk = new LiveTalk(call, { send: (body) => void told.push(body) });
});
afterEach(() => {
  talk.close();
  vi.useRealTimers();
});

it('tells the words of a turn so far, the latest five times a second', () => {
  talk.begin();
  talk.hears('I', false);
  talk.hears('I would', false);
  talk.hears('I would like', false);
  expect(texts()).toEqual(['I']);
  vi.advanceTimersByTime(200);
  expect(texts()).toEqual(['I', 'I would like']);
  for (let n = 0; n < 100; n += 1) {
    talk.hears(`word ${n}`, false);
    vi.advanceTimersByTime(10);
  }
  expect(told.length).toBeLessThanOrEqual(2 + 6);
  expect(told.at(-1)).toMatchObject({
    type: 'conversation_turn',
    call,
    role: 'caller',
    final: false,
  });
});

it('keeps what the recogniser is done with until the turn is over', () => {
  talk.begin();
  talk.hears('Good morning.', true);
  vi.advanceTimersByTime(500);
  talk.hears('I would', false);
  vi.advanceTimersByTime(500);
  talk.turn('caller');
  talk.hears('Yes', false);
  vi.advanceTimersByTime(500);
  expect(texts()).toEqual(['Good morning.', 'Good morning. I would', 'Yes']);
});

it('tells nothing of a turn that is on record already', () => {
  talk.begin();
  talk.says('Hello');
  talk.says('Hello there');
  talk.turn('agent');
  vi.advanceTimersByTime(1000);
  expect(texts()).toEqual(['Hello']);
});

it('tells nothing before the answer, nor after the end', () => {
  talk.hears('ring-back', false);
  vi.advanceTimersByTime(1000);
  talk.begin();
  talk.says('Hello');
  talk.says('Hello there');
  talk.close();
  vi.advanceTimersByTime(1000);
  talk.says('too late');
  expect(texts()).toEqual(['Hello']);
});
