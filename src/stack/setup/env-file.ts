import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sourceRoot } from '../source-root.ts';
import { newWebhookSecret } from '../../webhook/signature.ts';
import { inventSecrets } from '../stack-environment.ts';

/**
 * Writes `.env` from `.env.example` with random secrets, readable by its owner only, where there is none.
 * Returns whether it did.
 */
export function writeEnvFile(root: string): boolean {
  const file = path.join(root, '.env');
  if (existsSync(file)) return false;
  let text = readFileSync(path.join(sourceRoot, '.env.example'), 'utf8');
  const secrets = { ...inventSecrets(), WEBHOOK_SECRET: newWebhookSecret() };
  for (const [name, value] of Object.entries(secrets)) text = withValue(text, name, value);
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  return true;
}

/** Networks of an n8n that runs beside us: on this machine, or behind the bridges that Docker makes by default. */
const N8N_NETWORKS = '127.0.0.0/8,::1/128,172.16.0.0/12';

/** Lets webhooks go to an n8n on this machine, unless `.env` says already where they may go. Returns whether it did. */
export function permitN8n(root: string): boolean {
  const file = path.join(root, '.env');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (/^WEBHOOK_ALLOWED_NETWORKS=[ \t]*[^ \t\n]/m.test(text)) return false;
  writeFileSync(file, withValue(text, 'WEBHOOK_ALLOWED_NETWORKS', N8N_NETWORKS), { mode: 0o600 });
  return true;
}

function withValue(text: string, name: string, value: string): string {
  const line = new RegExp(`^${name}=.*$`, 'm');
  if (line.test(text)) return text.replace(line, `${name}=${value}`);
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${name}=${value}\n`;
}
