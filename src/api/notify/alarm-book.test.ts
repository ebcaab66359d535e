import { describe, expect, it } from 'vitest';
import { advanceAlarms, type Alarms, type News } from './alarm-book.ts';
import type { Trouble } from './trouble.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LOOK = 15_000;
const DOWN: Trouble = {
  key: 'trunk:office',
  what: 'The trunk office is down.',
  remedy: 'Look.',
  afterMs: 2 * MINUTE,
};

/** An operator who looks every 15 s. */
class Watcher {
  alarms: Alarms = {};
  now = 1_800_000_000_000;
  lookedAt = this.now;
  told: { at: number; news: News }[] = [];
  readonly began = this.now;

  look(troubles: Trouble[], options: { unseen?: string[]; mayTell?: boolean } = {}): News {
    const { alarms, news } = advanceAlarms(this.alarms, {
      troubles,
      unseen: options.unseen ?? [],
      now: this.now,
      lookedAt: this.lookedAt,
      mayTell: options.mayTell ?? true,
    });
    // It goes through Redis.
    this.alarms = JSON.parse(JSON.stringify(alarms)) as Alarms;
    this.lookedAt = this.now;
    if (news.begun.length + news.over.length + news.still.length > 0) {
      this.told.push({ at: this.now - this.began, news });
    }
    this.now += LOOK;
    return news;
  }

  for(ms: number, troubles: Trouble[], options = {}): void {
    for (const end = this.now + ms; this.now < end;) this.look(troubles, options);
  }

  get begun(): number {
    return this.told.filter(({ news }) => news.begun.length > 0).length;
  }
  get over(): number {
    return this.told.filter(({ news }) => news.over.length > 0).length;
  }
}

describe('an alarm', () => {
  it('is told once when the trouble has lasted, and once when it is over', () => {
    const watcher = new Watcher();
    watcher.for(10 * MINUTE, [DOWN]);
    watcher.for(10 * MINUTE, []);
    expect(watcher.told).toHaveLength(2);
    expect(watcher.told[0]).toMatchObject({
      at: 2 * MINUTE,
      news: { begun: [{ what: DOWN.what, since: watcher.began }] },
    });
    expect(watcher.told[1]).toMatchObject({
      at: 13 * MINUTE,
      news: { over: [{ what: DOWN.what, until: watcher.began + 10 * MINUTE }] },
    });
    watcher.for(7 * HOUR, []);
    expect(watcher.alarms).toEqual({});
  });

  it('is not told of what passes by itself', () => {
    const watcher = new Watcher();
    for (let times = 0; times < 20; times += 1) {
      watcher.for(MINUTE, [DOWN]);
      watcher.for(MINUTE, []);
    }
    expect(watcher.told).toEqual([]);
  });

  it('is brought to mind every four hours, with all others that are open', () => {
    const watcher = new Watcher();
    const late = { ...DOWN, key: 'disk:full' as const, what: 'The disk is full.' };
    watcher.for(HOUR, [DOWN]);
    watcher.for(12 * HOUR, [DOWN, late]);
    const reminders = watcher.told.filter(({ news }) => news.still.length > 0);
    expect(reminders).toHaveLength(3);
    expect(reminders[0]?.news.still.map(({ what }) => what)).toEqual([DOWN.what, late.what]);
    expect(watcher.begun).toBe(2);
  });

  it('of what comes and goes all night is told a few times, not each time', () => {
    const watcher = new Watcher();
    for (let times = 0; times < 60; times += 1) {
      watcher.for(4 * MINUTE, [DOWN]);
      watcher.for(4 * MINUTE, []);
    }
    // 8 h, 60 times; reminders are among them.
    expect(watcher.told.length).toBeLessThan(8);
    expect(watcher.begun).toBeLessThan(4);
  });

  it('is not told again by an api that was started again', () => {
    const watcher = new Watcher();
    watcher.for(10 * MINUTE, [DOWN]);
    watcher.now += 20 * MINUTE;
    watcher.for(10 * MINUTE, [DOWN]);
    expect(watcher.told).toHaveLength(1);
  });

  it('does not count the time in which nobody looked as lasting', () => {
    const watcher = new Watcher();
    watcher.look([DOWN]);
    watcher.now += 9 * HOUR;
    watcher.look([DOWN]);
    watcher.look([]);
    expect(watcher.told).toEqual([]);
  });

  it('stays as it is while its part of the system cannot be looked at', () => {
    const watcher = new Watcher();
    watcher.for(5 * MINUTE, [DOWN]);
    watcher.for(HOUR, [], { unseen: ['trunk'] });
    expect(watcher.told).toHaveLength(1);
    watcher.for(5 * MINUTE, []);
    expect(watcher.over).toBe(1);
  });

  it('waits where something was told just now, and is lost by it neither way', () => {
    const watcher = new Watcher();
    watcher.for(10 * MINUTE, [DOWN], { mayTell: false });
    expect(watcher.told).toEqual([]);
    expect(watcher.look([DOWN]).begun).toHaveLength(1);
    watcher.for(30 * MINUTE, [], { mayTell: false });
    expect(watcher.look([]).over).toHaveLength(1);
  });

  it('tells at once what need not last', () => {
    const watcher = new Watcher();
    expect(watcher.look([{ ...DOWN, afterMs: 0 }]).begun).toHaveLength(1);
  });
});
