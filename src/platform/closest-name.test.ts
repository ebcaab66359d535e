import { describe, expect, it } from 'vitest';
import { closestName } from './closest-name.ts';

const known = ['greeting', 'max_duration', 'name', 'language'];

describe('closestName', () => {
  it('finds the name meant by a missing, a wrong and two swapped letters', () => {
    expect(closestName('greting', known)).toBe('greeting');
    expect(closestName('langoage', known)).toBe('language');
    expect(closestName('nmae', known)).toBe('name');
  });

  it('disregards case and separators', () => {
    expect(closestName('maxDuration', known)).toBe('max_duration');
  });

  it('suggests nothing where no name is near', () => {
    expect(closestName('temperature', known)).toBeUndefined();
    expect(closestName('x', known)).toBeUndefined();
  });
});
