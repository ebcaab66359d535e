import type { Config } from '../../platform/config.ts';

const N8N_URL = 'http://127.0.0.1:5678/healthz';
const LIMIT_MS = 500;

/** What to say to whoever has an n8n on this machine that webhooks cannot reach; undefined: nothing. */
export async function n8nHint(
  config: Pick<Config, 'WEBHOOK_ALLOWED_NETWORKS'>,
  url = N8N_URL,
): Promise<string | undefined> {
  if (config.WEBHOOK_ALLOWED_NETWORKS.length > 0) return undefined;
  // Any answer will do: old versions have no such address.
  const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) }).catch(() => undefined);
  await answer?.body?.cancel();
  if (!answer) return undefined;
  return `
An n8n seems to run on this machine (port 5678). Webhooks do not go to private addresses by default; start with
  ./start_scripts/start.sh --n8n
or set WEBHOOK_ALLOWED_NETWORKS in .env, so that they reach it. See docs/webhooks.md.
`;
}
