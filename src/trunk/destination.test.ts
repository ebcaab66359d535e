import { describe, expect, it } from 'vitest';
import { homeDestinations, isDestination, permits } from './destination.ts';

describe('destinations', () => {
  it('are prefixes, countries, or everywhere', () => {
    expect(['+49', 'DE', '+'].map(isDestination)).toEqual([true, true, true]);
    expect(['49', 'XX', 'Germany', ''].map(isDestination)).toEqual([false, false, false, false]);
  });

  it('of a country do not cover the other countries of its calling code', () => {
    expect(permits(['US'], '+12025550123')).toBe(true);
    expect(permits(['US'], '+18765550123')).toBe(false);
    expect(permits(['+1'], '+18765550123')).toBe(true);
  });

  it('of a country cover numbers that are possible but assigned to nobody', () => {
    expect(permits(['US'], '+15551234567')).toBe(true);
  });

  it('are by default the countries of the own numbers', () => {
    expect(homeDestinations(['+12025550123', '+12125550123', '+4930123456'])).toEqual(['US', 'DE']);
  });

  it('fall back to the calling code where a number belongs to no country', () => {
    expect(homeDestinations(['+88312345678'])).toEqual(['+883']);
  });
});
