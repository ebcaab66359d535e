import { defineCommand } from 'citty';
import { z } from 'zod';
import { OperatorError } from '../../../platform/errors.ts';
import { ApiClient } from '../../api-client.ts';

const resultSchema = z.object({
  channels: z.array(z.object({ channel: z.string(), delivered: z.boolean(), detail: z.string() })),
});

/** Both channels at their slowest. */
const LIMIT_MS = 45_000;

export default defineCommand({
  meta: {
    name: 'test',
    description:
      'Send a test message by every way that is configured, and tell whether it went out',
  },
  async run() {
    const { channels } = await ApiClient.ofConfig().json('POST', '/api/notify/test', resultSchema, {
      timeoutMs: LIMIT_MS,
    });
    if (channels.length === 0) {
      throw new OperatorError('Nobody is told of problems.', {
        remedy:
          'Set NOTIFY_WEBHOOK_URL, or NOTIFY_EMAIL_TO with NOTIFY_EMAIL_FROM and SMTP_URL, in .env, and start the api again.',
      });
    }
    for (const { channel, delivered, detail } of channels) {
      process.stdout.write(`${delivered ? '✓' : '✗'} ${channel}: ${detail}\n`);
    }
    if (channels.some(({ delivered }) => !delivered)) process.exitCode = 1;
  },
});
