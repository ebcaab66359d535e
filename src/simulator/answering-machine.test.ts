import { expect, test } from 'vitest';
import { classifyPickup } from './answering-machine.ts';

test('a machine, a menu and a person are told apart by their words', () => {
  expect(classifyPickup('Please leave a message after the tone.')).toBe('machine-vm');
  expect(classifyPickup('Bitte hinterlassen Sie eine Nachricht nach dem Signalton.')).toBe(
    'machine-vm',
  );
  expect(classifyPickup('For opening hours, press one.')).toBe('machine-ivr');
  expect(classifyPickup('Hello?')).toBe('human');
});
