import { describe, expect, it } from 'vitest';
import { VendorDiary } from './vendor-diary.ts';

describe('the diary of the stand-ins', () => {
  it('finds the last moment within a span', () => {
    const diary = new VendorDiary();
    for (const at of [100, 200, 300]) diary.note('llm_first_token', 'Gladly.', at);
    expect(diary.last('llm_first_token', { from: 150, to: 250 })).toBe(200);
    expect(diary.last('llm_first_token', { from: 301, to: 400 })).toBeUndefined();
    expect(diary.last('stt_transcript', { from: 0, to: 400 })).toBeUndefined();
  });

  it('takes words for the same whose case and punctuation differ, and a part for its whole', () => {
    const diary = new VendorDiary();
    diary.note('tts_first_sound', 'Gladly.', 100);
    diary.note('tts_first_sound', 'Another call.', 150);
    const span = { from: 0, to: 200 };
    expect(diary.last('tts_first_sound', span, 'gladly, which day would suit you?')).toBe(100);
    expect(diary.last('tts_first_sound', span, 'Sorry?')).toBeUndefined();
  });

  it('forgets the oldest', () => {
    const diary = new VendorDiary();
    for (let at = 1; at <= 2001; at += 1) diary.note('stt_transcript', '', at);
    expect(diary.last('stt_transcript', { from: 1, to: 1 })).toBeUndefined();
    expect(diary.last('stt_transcript', { from: 2, to: 2 })).toBe(2);
  });
});
