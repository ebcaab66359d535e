import { describe, expect, test } from 'vitest';
import type { CommandAnswer } from '../call/call-command.ts';
import { OperatorCommands } from './operator-commands.ts';
import type { Direction } from './phone-end.ts';

const DONE: CommandAnswer = { state: 'done' };

function aCall(direction: Direction) {
  const happened: unknown[] = [];
  const operator = new OperatorCommands({
    direction,
    participant: {
      publishDtmf: async (code: number, digit: string) => void happened.push([code, digit]),
    },
    transfer: {
      run: async () => DONE,
      close: () => happened.push('transfer closed'),
    },
    journal: { write: (type, data) => happened.push([type, data]) },
    onEnd: (end, say) => happened.push([end.outcome, end.hungUpBy, say]),
  });
  return { operator, happened };
}

describe('hanging up', () => {
  test('ends a call that is on, with last words where there are some', async () => {
    const { operator, happened } = aCall('outbound');
    operator.begin();
    expect(await operator.carryOut({ kind: 'hangup', say: 'Goodbye.' })).toEqual(DONE);
    expect(await operator.carryOut({ kind: 'hangup' })).toEqual(DONE);
    expect(happened).toEqual([
      ['completed', 'operator', 'Goodbye.'],
      ['completed', 'operator', undefined],
    ]);
  });

  test('leaves a call that is being dialled to the dispatcher', async () => {
    const { operator, happened } = aCall('outbound');
    expect(await operator.carryOut({ kind: 'hangup' })).toMatchObject({ cause: 'not_answered' });
    expect(happened).toEqual([]);
  });

  test('refuses a caller who is not answered yet', async () => {
    const { operator, happened } = aCall('inbound');
    expect(await operator.carryOut({ kind: 'hangup', say: 'Goodbye.' })).toEqual(DONE);
    expect(happened).toEqual([['canceled', 'operator', undefined]]);
  });
});

describe('keys', () => {
  test('are sent in their order, pauses aside, and told of by their number only', async () => {
    const { operator, happened } = aCall('inbound');
    operator.begin();
    const [first, second] = await Promise.all([
      operator.carryOut({ kind: 'dtmf', digits: '0w' }),
      operator.carryOut({ kind: 'dtmf', digits: '#D' }),
    ]);
    expect([first, second]).toEqual([DONE, DONE]);
    const sent = happened.filter((one) => Array.isArray(one) && typeof one[0] === 'number');
    expect(sent).toEqual([
      [0, '0'],
      [11, '#'],
      [15, 'd'],
    ]);
    const told = happened.filter((one) => Array.isArray(one) && one[0] === 'call.dtmf');
    expect(told).toEqual([
      ['call.dtmf', { direction: 'sent', count: 1 }],
      ['call.dtmf', { direction: 'sent', count: 2 }],
    ]);
  });

  test('stop with the call, and who asked is told', async () => {
    const { operator, happened } = aCall('inbound');
    operator.begin();
    const pressing = operator.carryOut({ kind: 'dtmf', digits: '1'.repeat(64) });
    operator.close();
    expect(await pressing).toMatchObject({ state: 'refused', cause: 'call_over' });
    expect(happened.length).toBeLessThan(5);
  });
});

test('keys and transfers wait for the answer', async () => {
  const { operator } = aCall('outbound');
  for (const command of [
    { kind: 'dtmf', digits: '1' },
    { kind: 'transfer', to: 'tel:+12025550142' },
  ] as const) {
    expect(await operator.carryOut(command)).toMatchObject({ cause: 'not_answered' });
  }
});
