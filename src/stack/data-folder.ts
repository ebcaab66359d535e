import path from 'node:path';
import { loadConfig } from '../platform/config.ts';
import { inventSecrets } from './stack-environment.ts';

/** The data folder that the configuration below a root names; it needs no secret to be set. */
export function dataFolder(root: string): string {
  return path.resolve(root, loadConfig({ root, fallbacks: inventSecrets() }).DATA_DIR);
}
