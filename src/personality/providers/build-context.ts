import type { VAD } from '@livekit/agents';
import type { Config } from '../../platform/config.ts';
import { OperatorError } from '../../platform/errors.ts';
import type { KeptConnections } from './kept-connections.ts';

/** What a provider gets besides its own options. */
export type BuildContext = {
  config: Config;
  /** The personality's language, for components that name none. */
  language: string;
  /** Shared voice activity detector, for an STT that needs one. */
  vad: VAD | undefined;
  /** Kept from call to call; without them each client has its own. */
  connections?: KeptConnections | undefined;
};

/**
 * A variable that the personality's check has found to be set.
 * @throws {OperatorError} where it is not, after all.
 */
export function credential(config: Config, name: string): string {
  const value = config.credentials[name];
  if (value !== undefined) return value;
  throw new OperatorError(`${name} is not set`, { remedy: 'Set it in .env or the environment.' });
}
