import { SpeechConfig } from 'microsoft-cognitiveservices-speech-sdk';
import { WebsocketMessageAdapter } from 'microsoft-cognitiveservices-speech-sdk/distrib/lib/src/common.browser/WebsocketMessageAdapter.js';
import type { Config } from '../../../platform/config.ts';
import { credential } from '../build-context.ts';

/** Where the speech resource is, and its key. */
export type AzureResource = {
  key: string;
  region?: string | undefined;
  baseUrl?: string | undefined;
};

export function azureResource(
  options: { region?: string | undefined; base_url?: string | undefined },
  config: Config,
): AzureResource {
  const key = credential(config, 'AZURE_SPEECH_KEY');
  if (options.base_url !== undefined) return { key, baseUrl: options.base_url };
  return { key, region: options.region ?? credential(config, 'AZURE_SPEECH_REGION') };
}

/** The SDK's configuration, without anything that recognition or synthesis alone needs. */
export function speechConfig({ key, region, baseUrl }: AzureResource): SpeechConfig {
  // Node's own WebSocket, which the SDK would take, tells nothing of a refused handshake: a wrong key would
  // look like a network that is down.
  WebsocketMessageAdapter.forceNpmWebSocket = true;
  return baseUrl === undefined
    ? SpeechConfig.fromSubscription(key, region ?? '')
    : SpeechConfig.fromHost(new URL(baseUrl.replace(/^http/, 'ws')), key);
}
