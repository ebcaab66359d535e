import { z } from 'zod';
import { duration } from '../../duration.ts';

/** What tells speech from silence. Shorter settings answer sooner and cut people off: measure both. */
const settings = {
  min_speech_duration: duration('10ms', '2s')
    .prefault('50ms')
    .describe('speech that counts as such'),
  min_silence_duration: duration('50ms', '5s')
    .optional()
    .describe('silence that ends it; absent: 100ms where words end a turn, else 250ms'),
  prefix_padding_duration: duration('0ms', '2s').optional().describe('sound kept from before it'),
  max_buffered_speech: duration('1s', '10m').optional(),
  activation_threshold: z
    .number()
    .min(0.05)
    .max(0.95)
    .optional()
    .describe('0.5; higher is less sensitive'),
};

/** LiveKit's plugin of the Silero model. */
export const sileroVad = z.strictObject({ provider: z.literal('silero'), ...settings });

/** The model that comes inside the framework, at half the CPU. */
export const bundledVad = z.strictObject({
  provider: z.literal('bundled'),
  ...settings,
  deactivation_threshold: z.number().min(0.01).max(0.95).optional(),
});
