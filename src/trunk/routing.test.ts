import { describe, expect, it } from 'vitest';
import { personalityForInbound, trunkForOutbound } from './routing.ts';
import { aTrunk } from './trunk-fixture.ts';

const us = aTrunk({ name: 'us' });
const german = aTrunk({
  name: 'german',
  numbers: [
    { number: '+4930123456', personality: 'german_assistant' },
    { number: '+4930123457', personality: 'receptionist' },
  ],
  allowedPrefixes: ['DE', '+43'],
});
const simulator = aTrunk({ name: 'simulator', provider: 'simulator', allowedPrefixes: ['+'] });

function chosen(trunks: Parameters<typeof trunkForOutbound>[0], call: object): string {
  const choice = trunkForOutbound(trunks, { to: '+12025550199', simulated: false, ...call });
  return choice.ok ? `${choice.trunk.name} ${choice.from}` : choice.reason;
}

describe('trunkForOutbound', () => {
  it('takes the first trunk that permits the number, with its first number as caller id', () => {
    expect(chosen([us, german], {})).toBe('us +12025550123');
    expect(chosen([us, german], { to: '+4930999999' })).toBe('german +4930123456');
    expect(chosen([us, german], { to: '+431234567' })).toBe('german +4930123456');
  });

  it('takes the trunk that is named, and says which there are when there is no such', () => {
    expect(chosen([us, simulator], { trunk: 'simulator' })).toBe('simulator +12025550123');
    expect(chosen([us, german], { trunk: 'nope' })).toMatch(/there are: us, german/);
  });

  it('lets a trunk that goes everywhere take any digits', () => {
    expect(chosen([simulator], { to: '100', simulated: true })).toBe('simulator +12025550123');
    expect(chosen([us], { to: '100' })).toMatch(/permits only/);
  });

  it('takes the trunk that owns the caller id', () => {
    expect(chosen([us, german], { to: '+4930999999', from: '+4930123457' })).toBe(
      'german +4930123457',
    );
    expect(chosen([us], { from: '+12025550000' })).toMatch(
      /caller id is not a number of the trunk/,
    );
  });

  it('refuses a country that no trunk permits, without the number in the reason', () => {
    const reason = chosen([us, german], { to: '+18765550123' });
    expect(reason).toMatch(/us permits only destinations in US/);
    expect(reason).not.toContain('8765550123');
  });

  it('keeps a simulated personality away from carriers', () => {
    expect(chosen([us, simulator], { simulated: true })).toBe('simulator +12025550123');
    expect(chosen([us, simulator], { simulated: true, trunk: 'us' })).toMatch(/real people/);
    expect(chosen([us], { simulated: true })).toMatch(/real people/);
  });

  it('never lets the simulator answer for a number that no carrier permits', () => {
    expect(chosen([us, simulator], { to: '+4930999999' })).toMatch(/us permits only/);
    expect(chosen([simulator], { to: '+4930999999' })).toBe('simulator +12025550123');
  });
});

describe('personalityForInbound', () => {
  it('is the one of the number on that trunk, with or without its plus', () => {
    expect(personalityForInbound([us, german], { trunk: 'german', number: '+4930123457' })).toBe(
      'receptionist',
    );
    expect(personalityForInbound([us, german], { trunk: 'german', number: '4930123456' })).toBe(
      'german_assistant',
    );
  });

  it('is undefined for a number of another trunk or an unknown trunk', () => {
    expect(
      personalityForInbound([us, german], { trunk: 'us', number: '+4930123456' }),
    ).toBeUndefined();
    expect(personalityForInbound([us], { trunk: 'nope', number: '+12025550123' })).toBeUndefined();
  });
});
