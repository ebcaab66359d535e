import { describe, expect, it } from 'vitest';
import { VendorDiary } from '../vendor-diary.ts';
import { stagesOf, type MeasuredTurn } from './turn-stages.ts';

const said = 'Any morning next week.';
const reply: MeasuredTurn = { kind: 'reply', said, from: 10_000, to: 10_600, reply: 'Thank you.' };
const quiet = { decidedAt: undefined, spokeAt: undefined, silentAt: undefined };

describe('the stages of a turn', () => {
  it('are counted from the end of the caller’s voice', () => {
    const diary = new VendorDiary();
    diary.note('stt_last_sound', said, 10_100);
    diary.note('stt_transcript', said, 10_250);
    diary.note('llm_first_token', 'Thank you. I have noted that.', 10_260);
    diary.note('tts_first_sound', 'Thank you.', 10_300);
    const ledger = [
      { ...quiet, role: 'agent' as const, spokeAt: 5000 },
      { ...quiet, role: 'caller' as const, decidedAt: 10_400 },
      { ...quiet, role: 'agent' as const, spokeAt: 10_450 },
    ];
    expect(stagesOf(reply, diary, ledger)).toEqual([
      { name: 'turn_last_sound_at_stt', ms: 100 },
      { name: 'turn_transcript', ms: 250 },
      { name: 'turn_decided', ms: 400 },
      { name: 'turn_llm_first_token', ms: 260 },
      { name: 'turn_tts_first_sound', ms: 300 },
      { name: 'turn_first_sound_sent', ms: 450 },
    ]);
  });

  it('leave out what happened outside of the turn, or to other words', () => {
    const diary = new VendorDiary();
    diary.note('stt_transcript', 'Something else.', 10_250);
    diary.note('llm_first_token', 'Thank you.', 9000);
    const ledger = [{ ...quiet, role: 'agent' as const, spokeAt: 10_900 }];
    expect(stagesOf(reply, diary, ledger)).toEqual([]);
  });

  it('are, of a breaking in, its way to the ears and the moment in which the agent obeyed', () => {
    const diary = new VendorDiary();
    diary.note('stt_first_sound', '', 10_120);
    const ledger = [{ ...quiet, role: 'agent' as const, spokeAt: 8000, silentAt: 10_350 }];
    expect(stagesOf({ kind: 'break-in', from: 10_000, to: 10_500 }, diary, ledger)).toEqual([
      { name: 'break_in_first_sound_at_stt', ms: 120 },
      { name: 'break_in_obeyed', ms: 350 },
    ]);
  });
});
