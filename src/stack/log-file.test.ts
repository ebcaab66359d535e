import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogFile } from './log-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'logs-'));
  file = path.join(folder, 'part.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Lines of 10 bytes. */
const line = (number: number) => `line ${String(number).padStart(4, '0')}`;

function write(log: LogFile, from: number, to: number): void {
  for (let number = from; number <= to; number += 1) log.write(line(number));
}

const everything = () =>
  readdirSync(folder)
    .toSorted()
    .toReversed()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('');

describe('a log file', () => {
  it('is rotated by size without losing a line, and keeps as many as it is told', async () => {
    const log = new LogFile(file, { bytes: 100, keep: 3 });
    write(log, 1, 35);
    await log.close();
    expect(readdirSync(folder).toSorted()).toEqual([
      'part.log',
      'part.log.1',
      'part.log.2',
      'part.log.3',
    ]);
    const all = Array.from({ length: 35 }, (_, index) => `${line(index + 1)}\n`).join('');
    expect(all.endsWith(everything())).toBe(true);
    expect(everything()).toHaveLength(350);
  });

  it('forgets the oldest', async () => {
    const log = new LogFile(file, { bytes: 100, keep: 1 });
    write(log, 1, 60);
    await log.close();
    expect(readdirSync(folder).toSorted()).toEqual(['part.log', 'part.log.1']);
    expect(everything()).toContain(line(60));
    expect(everything()).not.toContain(line(1));
  });

  it('keeps none where it is told so, and removes what was kept before', async () => {
    writeFileSync(`${file}.1`, 'old');
    writeFileSync(`${file}.2`, 'older');
    const log = new LogFile(file, { bytes: 100, keep: 0 });
    write(log, 1, 15);
    await log.close();
    expect(readdirSync(folder)).toEqual(['part.log']);
  });

  it('is for its owner only, also when it was there before', async () => {
    writeFileSync(file, 'earlier\n');
    chmodSync(file, 0o644);
    const log = new LogFile(file, { bytes: 30, keep: 2 });
    write(log, 1, 10);
    await log.close();
    for (const name of readdirSync(folder)) {
      expect(statSync(path.join(folder, name)).mode & 0o777, name).toBe(0o600);
    }
  });

  it('hides numbers', async () => {
    const log = new LogFile(file);
    log.write('INVITE sip:+12025550123@10.0.0.1');
    await log.close();
    expect(everything()).not.toContain('2025550123');
    expect(log.lastLines).not.toContain('2025550123');
  });

  it('loses lines, and says how many, where the disk takes nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      // A folder in its place: neither root nor anybody else can write it.
      const place = path.join(folder, 'away');
      const log = new LogFile(path.join(place, 'part.log'));
      write(log, 1, 3);
      expect(log.lastLines).toContain(line(3));
      mkdirSync(place);
      vi.setSystemTime(Date.now() + 60_000);
      log.write(line(4));
      await log.close();
      const text = readFileSync(path.join(place, 'part.log'), 'utf8');
      expect(text).toMatch(/^\d lines could not be written\nline 0004\n$/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends nobody where the device is full', async () => {
    const log = new LogFile('/dev/full', { bytes: 1e9, keep: 0 });
    write(log, 1, 5);
    await vi.waitFor(() => {
      log.write('x');
      expect(log.lastLines).toContain('x');
    });
    await log.close();
  });
});

it('is followed by `trunkline logs -f` across rotations, every line once', async () => {
  const stack = path.join(folder, 'data');
  const logs = path.join(stack, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = new LogFile(path.join(logs, 'part.log'), { bytes: 100, keep: 3 });
  log.write('begun');
  const program = path.resolve(import.meta.dirname, 'main.ts');
  const child = spawn(
    process.execPath,
    [program, 'logs', '-f', '-n', '10', 'part', '--root', folder],
    {
      env: { ...process.env, DATA_DIR: stack },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    await vi.waitFor(() => expect(output).toContain('begun'), { timeout: 30_000 });
    for (let number = 1; number <= 25; number += 1) {
      log.write(line(number));
      await vi.waitFor(() => expect(output).toContain(line(number)), { timeout: 30_000 });
    }
    expect(output.match(/^line \d+$/gm)).toHaveLength(25);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await log.close();
  }
});
