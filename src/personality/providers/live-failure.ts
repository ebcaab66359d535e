import { APITimeoutError } from '@livekit/agents';
import type { VendorOptions } from './component-options.ts';

/** Why a vendor did not do what it was asked, in words for whoever has the key. */
export type LiveFailure = { problem: string; remedy: string };

/** How vendors' clients put the status of a refused WebSocket or request into their texts. */
const STATUS = /(?:server response:|status:?|failed:) (\d{3})(?!\d)/i;

const UNREACHABLE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ETIMEDOUT/;

/**
 * What is wrong, as far as the vendor's answer tells: key, region, model or deployment, quota, network. The
 * vendor's own text is not passed on: some repeat a part of the key in it.
 */
export function explainFailure(error: Error, options: VendorOptions): LiveFailure {
  const status = statusOf(error);
  if (status !== undefined) return explainStatus(status, options);
  const names = wherefrom(options);
  if (error instanceof APITimeoutError || /time(d )?out/i.test(causes(error))) {
    return { problem: 'does not answer in time', remedy: `Check the network and ${names.place}.` };
  }
  const code = UNREACHABLE.exec(causes(error))?.[0];
  return {
    problem: code === undefined ? 'cannot be reached' : `cannot be reached (${code})`,
    remedy: `Check the network and ${names.place}.`,
  };
}

function explainStatus(status: number, options: VendorOptions): LiveFailure {
  const { key, place, model } = wherefrom(options);
  const failure = (problem: string, remedy: string): LiveFailure => ({
    problem: `${problem} (status ${status})`,
    remedy,
  });
  if (status === 401) return failure('refuses the key', `Check ${key}, and ${place}.`);
  if (status === 403) {
    return failure('forbids this to the key', `Check what the account of ${key} may use.`);
  }
  if (status === 404)
    return failure('does not know what is asked for', `Check ${model}, and ${place}.`);
  if (status === 402) return failure('has no credit left', `Top up the account of ${key}.`);
  if (status === 429) {
    return failure('takes no more requests', `Check quota and credit of the account of ${key}.`);
  }
  if (status >= 500)
    return failure('has a failure of its own', "Try again; see the vendor's status page.");
  return failure('refuses an option', `Check ${model}, and the other options of this component.`);
}

/** Where key, address and model of a component come from. */
function wherefrom(options: VendorOptions): { key: string; place: string; model: string } {
  switch (options.provider) {
    case 'openai':
      return {
        key: options.api_key_variable ?? 'OPENAI_API_KEY',
        place: 'base_url or OPENAI_BASE_URL where one is set',
        model: `the model ${options.model ?? '(the default)'}`,
      };
    case 'azure_openai':
      return {
        key: 'AZURE_OPENAI_API_KEY',
        place: 'AZURE_OPENAI_ENDPOINT',
        model: 'the deployment (AZURE_OPENAI_DEPLOYMENT_NAME) and api_version',
      };
    case 'deepgram':
      return {
        key: 'DEEPGRAM_API_KEY',
        place: 'base_url where one is set',
        model: `the model ${options.model}`,
      };
    case 'azure':
      return {
        key: 'AZURE_SPEECH_KEY',
        place: 'AZURE_SPEECH_REGION: a key belongs to one region',
        model: 'voice and language',
      };
    case 'simulator':
      return {
        key: 'nothing (the simulator needs no key)',
        place: 'SIMULATOR_URL, and that the simulator runs',
        model: 'the voice',
      };
  }
}

function statusOf(error: Error): number | undefined {
  for (const name of ['statusCode', 'status']) {
    const status: unknown = Reflect.get(error, name);
    if (typeof status === 'number' && status >= 400) return status;
  }
  const match = STATUS.exec(error.message);
  return match ? Number(match[1]) : undefined;
}

/** Messages and codes of an error and what caused it. */
function causes(error: unknown): string {
  const texts: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    texts.push(at.name, at.message, String(Reflect.get(at, 'code')));
  }
  return texts.join(' ');
}
