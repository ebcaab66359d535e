import { inference, type VAD } from '@livekit/agents';
import type { VadOptions } from '../component-options.ts';
import { pluginOptions } from '../plugin-options.ts';

export function buildVad(options: Extract<VadOptions, { provider: 'bundled' }>): VAD {
  const { provider: _, ...rest } = options;
  return new inference.VAD(pluginOptions(rest));
}
