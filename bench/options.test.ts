import { describe, expect, it } from 'vitest';
import { measures, parseOptions } from './options.ts';

describe('the options of the bench', () => {
  it('are a whole run into the documents where none is given', () => {
    expect(parseOptions([])).toMatchObject({ only: measures, write: true, quick: false });
  });

  it.each([['--quick'], ['--only=burst'], ['--calls=2'], ['--systems=stock'], ['--seconds=5']])(
    'leave the documents alone with %s',
    (option) => {
      expect(parseOptions([option]).write).toBe(false);
      expect(parseOptions([option, '--write']).write).toBe(true);
    },
  );

  it('run measurements in their own order, whatever was asked first', () => {
    expect(parseOptions(['--only', 'soak, burst']).only).toEqual(['burst', 'soak']);
  });

  it.each([
    [['--only', 'speed'], /--only knows no speed; there are burst/],
    [['--systems', 'ruby'], /--systems knows no ruby/],
    [['--calls', '0'], /--calls wants a whole number/],
    [['--seconds', 'ten'], /--seconds wants a whole number/],
    [['--fast'], /--fast/],
  ])('refuse %j with a sentence', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(sentence);
  });
});
