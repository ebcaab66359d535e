import { spawn } from 'node:child_process';
import { asError, OperatorError } from '../platform/errors.ts';
import type { EspeakVoice } from './voices.ts';
import { readWav, type WavSound } from './wav.ts';

/** A sentence takes about 10 ms; beyond this the program hangs. */
const LIMIT_MS = 20_000;

/**
 * Lets espeak-ng speak a text. It is under the GPL, so it runs as a program of its own.
 *
 * @throws {OperatorError} when it is not installed.
 */
export function runEspeak(program: string, text: string, voice: EspeakVoice): Promise<WavSound> {
  const options = ['-v', voice.name, '-p', String(voice.pitch), '-s', String(voice.wordsPerMinute)];
  return new Promise((resolve, reject) => {
    // -b 1: UTF-8, whatever the locale; -z: no pause after the last sentence. The text goes through stdin,
    // so that a text beginning with a dash is no option.
    const child = spawn(program, [...options, '-b', '1', '-z', '--stdin', '--stdout'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    const sound: Buffer[] = [];
    const complaint: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => sound.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk));
    // A child that ends early breaks its pipe; its exit status tells the reason.
    child.stdin.on('error', () => undefined);
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? notInstalled(program, error) : error);
    });
    child.on('close', (code, signal) => {
      if (code !== 0) {
        const said = Buffer.concat(complaint).toString().trim().slice(0, 300);
        reject(new Error(`espeak-ng ended with ${code ?? signal}: ${said}`));
        return;
      }
      try {
        resolve(readWav(Buffer.concat(sound)));
      } catch (thrown) {
        reject(new Error('espeak-ng gave no sound', { cause: asError(thrown) }));
      }
    });
    child.stdin.end(text);
  });
}

function notInstalled(program: string, cause: Error): OperatorError {
  return new OperatorError(`The simulator cannot speak: the program ${program} is not installed.`, {
    remedy: 'Install it: apt-get install espeak-ng',
    cause,
  });
}
