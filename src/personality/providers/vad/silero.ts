import type { VAD } from '@livekit/agents';
import { VAD as SileroVad } from '@livekit/agents-plugin-silero';
import type { VadOptions } from '../component-options.ts';
import { pluginOptions } from '../plugin-options.ts';

/** Loads the plugin's model: some 100 ms, so share one among the calls of a process. */
export function buildVad(options: Extract<VadOptions, { provider: 'silero' }>): Promise<VAD> {
  const { provider: _, ...rest } = options;
  return SileroVad.load(pluginOptions(rest));
}
