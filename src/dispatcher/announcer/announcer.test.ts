import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Announcer } from './announcer.ts';

const standIn = path.join(import.meta.dirname, '../fixtures/announcer-stand-in.ts');
let announcer: Announcer;

beforeEach(() => {
  announcer = new Announcer(standIn);
});
afterEach(() => announcer.close());

const announce = (token: string) => announcer.announce({ url: '', token, sound: '' });

it('says several sentences in one process, and tells which could not be said', async () => {
  const said = [announce('works'), announce('fails'), announce('works')];
  expect((await Promise.allSettled(said)).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
});

it('tells of a process that dies, and says the next sentence in another', async () => {
  await expect(announce('dies')).rejects.toThrow('the announcer ended');
  await announce('works');
});

it('ends its process with what it is saying', async () => {
  const saying = announce('is stuck');
  const outcome = expect(saying).rejects.toThrow('the announcer ended');
  await announcer.close();
  await outcome;
});

it('fails where the process cannot be started at all', async () => {
  announcer = new Announcer('/nonexistent.ts');
  await expect(announce('works')).rejects.toThrow();
});
