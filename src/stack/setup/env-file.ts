import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sourceRoot } from '../source-root.ts';
import { inventSecrets } from '../stack-environment.ts';

/**
 * Writes `.env` from `.env.example` with random secrets, readable by its owner only, where there is none.
 * Returns whether it did.
 */
export function writeEnvFile(root: string): boolean {
  const file = path.join(root, '.env');
  if (existsSync(file)) return false;
  let text = readFileSync(path.join(sourceRoot, '.env.example'), 'utf8');
  for (const [name, value] of Object.entries(inventSecrets())) {
    text = text.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`);
  }
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  return true;
}
