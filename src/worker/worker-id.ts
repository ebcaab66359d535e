import { hostname } from 'node:os';

/**
 * The name of this worker in the fleet. Host name and process id alone would be the same again for the next
 * worker in the same container, and the calls of the one before would seem to be attended.
 */
export function workerId(): string {
  return `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
}
